// Nothing is wrong with this one: it multiplies features by a factor, and counts its destructions.
#include <patchioner/plugin.hpp>

namespace {

struct WorksOptions {
  double factor = 2.0;
  std::string weights;
};

void declare(patchioner::ParameterList<WorksOptions>& list) {
  list.add("factor", &WorksOptions::factor, "what features are multiplied by").range(0.5, 100);
  list.add("weights", &WorksOptions::weights, "a file").path().choices({"none"});
}

class Works : public patchioner::Gap {
 public:
  Works(WorksOptions options, const patchioner::PluginContext&) : options_(std::move(options)) {}
  at::Tensor to_text_space(const at::Tensor& features) const override { return features * options_.factor; }
  std::string text_fingerprint() const override { return options_.weights; }

 private:
  WorksOptions options_;
};

}  // namespace

PATCHIONER_PLUGIN(gap, works, "0.3", "Multiplies", Works, WorksOptions)
