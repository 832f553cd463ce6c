// Any model that was exported as a TorchScript archive, described in YAML: which methods it has, what they
// want to see, and how their outputs are laid out.
#pragma once

#include <memory>
#include <optional>
#include <patchioner/backbone.hpp>
#include <patchioner/plugin.hpp>
#include <span>
#include <string>
#include <vector>

#include "batched_method.hpp"
#include "image_outputs.hpp"
#include "script_model.hpp"
#include "script_texts.hpp"
#include "torchscript_options.hpp"

namespace patchioner {

class TorchScriptBackbone : public Backbone {
 public:
  /// Opens the archives and runs the model once, on a made-up image, so that what its description gets wrong
  /// is found now. Throws Error: checkpoint and io for the files, config for the description.
  TorchScriptBackbone(TorchScriptOptions options, const PluginContext& context);

  const ImageSpec& image_spec() const override { return spec_; }
  int64_t dim() const override { return dim_; }
  BackboneCapabilities capabilities() const override;
  std::string text_fingerprint() const override;

  /// The model's outputs as they come: "output", or places and keys ("1", "tokens").
  std::vector<std::string> intermediate_names() const override { return output_names_; }

  ImageFeatures encode(const at::Tensor& pixels,
                       std::span<const std::string> intermediates = {}) const override;
  at::Tensor encode_text(std::span<const std::string> texts) const override;
  at::Tensor encode_token_ids(const at::Tensor& ids) const override;

 private:
  void set_spec();
  void try_out();
  void load_texts(const ScriptModel& images);
  std::optional<at::ScalarType> precision() const;
  const ScriptTexts& texts() const;

  TorchScriptOptions options_;
  PluginContext context_;
  ImageSpec spec_;
  int64_t dim_ = 0;
  std::optional<BatchedMethod> method_;
  std::optional<ImageOutputs> outputs_;
  std::vector<std::string> output_names_;
  std::unique_ptr<const ScriptTexts> texts_;
};

}  // namespace patchioner
