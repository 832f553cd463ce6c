// Gaussian noise on text features while a decoder is trained, so that it learns to read what lies beside
// them: the other way to bridge the modality gap (CapDec, CLOSE; spec/01 section 5.3). At inference features
// are only brought to unit length.
#include <cmath>
#include <limits>
#include <patchioner/plugin.hpp>

#include "nn/unit_length.hpp"

namespace patchioner {
namespace {

/// The standard deviation that CapDec-style training of the plain decoder uses (spec/01 section 5.3).
constexpr double kUsualStd = 0.08;

constexpr double kNotGiven = std::numeric_limits<double>::quiet_NaN();

struct NoiseOptions {
  double std = kNotGiven;
  double variance = kNotGiven;
  bool normalize_input = true;
};

void declare(ParameterList<NoiseOptions>& list) {
  list.add("std", &NoiseOptions::std,
           "standard deviation of the noise on each number of a unit vector; 0.08 when neither this nor "
           "variance is given")
      .range(0)
      .unset();
  list.add("variance", &NoiseOptions::variance,
           "its square, for those who think in variances; never together with std")
      .range(0)
      .unset();
  list.add("normalize_input", &NoiseOptions::normalize_input,
           "at inference: divide each feature by its length, as the decoder saw it in training; false hands "
           "it on as it is");
}

double standard_deviation(const NoiseOptions& options) {
  const bool has_std = !std::isnan(options.std);
  const bool has_variance = !std::isnan(options.variance);
  if (has_std && has_variance) {
    throw Error(ErrorKind::config, "it takes 'std' or 'variance', not both; variance {} is std {:.6g}",
                options.variance, std::sqrt(options.variance));
  }
  return has_std ? options.std : has_variance ? std::sqrt(options.variance) : kUsualStd;
}

class NoiseGap : public Gap {
 public:
  NoiseGap(const NoiseOptions& options, const PluginContext&)
      : std_(standard_deviation(options)), normalize_input_(options.normalize_input) {}

  at::Tensor to_text_space(const at::Tensor& features) const override {
    return normalize_input_ ? unit_rows(features) : features;
  }  // [R,D]

  at::Tensor perturb(const at::Tensor& text_features, RandomSource& random) const override {
    const at::Tensor noise = random.normal(text_features.sizes()).to(text_features.device());  // [N,D]
    return unit_rows(unit_rows(text_features) + noise * std_);                                 // [N,D]
  }

 private:
  double std_;
  bool normalize_input_;
};

}  // namespace

PATCHIONER_PLUGIN(gap, noise, "1.0", "Trains decoders on noisy text features; hands features on at inference",
                  NoiseGap, NoiseOptions)

}  // namespace patchioner
