// The gap {{name}}. As it was generated it lets a decoder that is trained on texts rely on no single number of
// their vectors, by leaving some out at random, and brings the features of images to unit length. YOURS marks
// where your own treatment comes in.
#include <patchioner/plugin.hpp>

namespace {

using namespace patchioner;

// YOURS: what a config can say.
struct {{Name}}Options {
  double share = 0.1;
};

void declare(ParameterList<{{Name}}Options>& list) {
  list.add("share", &{{Name}}Options::share, "share of the numbers that are left out in training")
      .range(0, 0.99);
}

at::Tensor unit_rows(const at::Tensor& rows) {
  constexpr double kLeast = 1e-12;  // a vector of zeros stays one
  return rows / rows.norm(2, -1, true).clamp_min(kLeast);
}

class {{Name}}Gap : public Gap {
 public:
  /// YOURS: load what it needs, once and for all: the object does not change afterwards, and several threads
  /// use it.
  {{Name}}Gap(const {{Name}}Options& options, const PluginContext&) : share_(options.share) {}

  /// YOURS: the width of the features that it reads, when it is fixed; 0 takes any.
  int64_t dim() const override { return 0; }

  /// YOURS: features of regions [R,D] to what a decoder of texts can read [R,D].
  at::Tensor to_text_space(const at::Tensor& features) const override { return unit_rows(features); }

  /// YOURS: features of texts [N,D] as a decoder sees them in training [N,D]. Draw from `random` alone, so
  /// that a training gives the same decoder every time.
  at::Tensor perturb(const at::Tensor& text_features, RandomSource& random) const override {
    const at::Tensor kept = random.uniform(text_features.sizes()).to(text_features.device()) >= share_;
    return unit_rows(text_features * kept);
  }

 private:
  double share_;
};

}  // namespace

PATCHIONER_PLUGIN(gap, {{name}}, "0.1", "Leaves numbers out in training; unit length at inference", {{Name}}Gap,
                  {{Name}}Options)
