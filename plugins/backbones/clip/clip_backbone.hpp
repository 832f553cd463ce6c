// CLIP with a vision transformer: every token through the final norm and the projection (spec/02 sections 1,
// 2, 8, 9).
#pragma once

#include <map>
#include <memory>
#include <patchioner/backbone.hpp>
#include <patchioner/plugin.hpp>
#include <span>
#include <string>
#include <vector>

#include "clip_options.hpp"
#include "nn/clip_model.hpp"
#include "nn/clip_text_encoder.hpp"

namespace patchioner {

class ClipBackbone : public Backbone {
 public:
  ClipBackbone(ClipOptions options, const PluginContext& context);

  const ImageSpec& image_spec() const override { return spec_; }
  int64_t dim() const override { return dim_; }
  BackboneCapabilities capabilities() const override;
  std::string text_fingerprint() const override;
  std::vector<std::string> intermediate_names() const override;
  ImageFeatures encode(const at::Tensor& pixels,
                       std::span<const std::string> intermediates = {}) const override;
  at::Tensor encode_text(std::span<const std::string> texts) const override;
  at::Tensor encode_token_ids(const at::Tensor& ids) const override;
  at::Tensor probe(const std::string& name, const std::map<std::string, at::Tensor>& inputs) const override;

 private:
  const VisionTransformer& image_tower() const;
  const ClipTextEncoder& text_encoder() const;

  ClipOptions options_;
  PluginContext context_;
  StateDict weights_;
  ImageSpec spec_;
  int64_t dim_ = 0;
  LazyTower<VisionTransformer> image_;
  std::unique_ptr<const ClipTextEncoder> text_;
};

}  // namespace patchioner
