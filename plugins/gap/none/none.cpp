// No treatment of the modality gap: features reach the decoder as the aggregator made them, brought to unit
// length (spec/01, G1 and section 5.3).
#include <patchioner/plugin.hpp>

namespace patchioner {
namespace {

/// Shortest length that a feature is divided by; keeps a feature of zeros finite (spec/01 section 0, G1).
constexpr double kShortestLength = 1e-12;

struct NoneOptions {
  bool normalize_input = true;
};

void declare(ParameterList<NoneOptions>& list) {
  list.add(
      "normalize_input", &NoneOptions::normalize_input,
      "divide each feature by its length, as the decoder saw it in training; false hands it on as it is");
}

class NoneGap : public Gap {
 public:
  NoneGap(NoneOptions options, const PluginContext&) : options_(options) {}

  at::Tensor to_text_space(const at::Tensor& features) const override {
    if (!options_.normalize_input) {
      return features;
    }
    return features / features.norm(2, -1, true).clamp_min(kShortestLength);  // [R,D]
  }

 private:
  NoneOptions options_;
};

}  // namespace

PATCHIONER_PLUGIN(gap, none, "1.0", "Hands features to the decoder without bridging the modality gap",
                  NoneGap, NoneOptions)

}  // namespace patchioner
