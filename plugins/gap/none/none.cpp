// No treatment of the modality gap: features reach the decoder as the aggregator made them, brought to unit
// length (spec/01, G1 and section 5.3).
#include <patchioner/plugin.hpp>

#include "nn/unit_length.hpp"

namespace patchioner {
namespace {

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
    return options_.normalize_input ? unit_rows(features) : features;  // [R,D]
  }

 private:
  NoneOptions options_;
};

}  // namespace

PATCHIONER_PLUGIN(gap, none, "1.0", "Hands features to the decoder without bridging the modality gap",
                  NoneGap, NoneOptions)

}  // namespace patchioner
