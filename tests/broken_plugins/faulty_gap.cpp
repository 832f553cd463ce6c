// Divides features by their length, and does something wrong when it is told to.
#include "faulty.hpp"

namespace {

using namespace patchioner;
using faulty::enter;

struct FaultyOptions : faulty::FaultOptions {};

void declare(ParameterList<FaultyOptions>& list) {
  faulty::declare_fault(list);
}

class Faulty : public Gap {
 public:
  Faulty(FaultyOptions options, const PluginContext&) : options_(std::move(options)) {
    enter(options_, "constructor");
    if (options_.in == "exit" && options_.fault == "hang") {
      std::atexit([] { faulty::hang(); });
    }
  }

  std::string text_fingerprint() const override {
    enter(options_, "text_fingerprint");
    return {};
  }

  int64_t dim() const override {
    enter(options_, "dim");
    return is("negative_width") ? -1 : 0;
  }

  at::Tensor to_text_space(const at::Tensor& features) const override {
    enter(options_, "to_text_space");
    if (is("some_features") && features.size(0) == 0) {
      throw std::out_of_range("features[0]");
    }
    if (is("in_place")) {
      at::Tensor(features).zero_();
    }
    at::Tensor units = features / features.norm(2, -1, true);
    if (is("batch")) {
      units = units - units.mean(0, true);
    }
    if (is("threads")) {
      units = units * at::get_num_threads();
    }
    if (is("random")) {
      units = units + at::randn_like(units);
    }
    if (is("inference")) {
      units = faulty::doubled_in_inference(units);
    }
    if (is("nan")) {
      units = faulty::spoilt(units);
    }
    return is("shape") ? units.t() : is("double") ? units.to(at::kDouble) : units;
  }

  at::Tensor perturb(const at::Tensor& texts, RandomSource& random) const override {
    enter(options_, "perturb");
    if (is("perturb_in_place")) {
      at::Tensor(texts).zero_();
    }
    const at::Tensor noise = is("other_noise") ? at::randn_like(texts) : random.normal(texts.sizes());
    const at::Tensor result = texts + 0.1 * noise;
    return is("perturb_shape") ? result.slice(0, 1) : result;
  }

  std::vector<std::vector<MemoryMatch>> nearest(const at::Tensor& features, int64_t) const override {
    enter(options_, "nearest");
    if (is("nearest_order")) {
      return std::vector<std::vector<MemoryMatch>>(static_cast<size_t>(features.size(0)),
                                                   {{"a", 0.5, 0.1, 0}, {"b", 0.4, 0.9, 1}});
    }
    return is("nearest_count") ? std::vector<std::vector<MemoryMatch>>(1)
                               : std::vector<std::vector<MemoryMatch>>();
  }

 private:
  bool is(std::string_view fault) const { return options_.fault == fault; }

  FaultyOptions options_;
};

}  // namespace

PATCHIONER_PLUGIN(gap, faulty_gap, "1", "Unit length and some noise, and whatever fault is asked for", Faulty,
                  FaultyOptions)
