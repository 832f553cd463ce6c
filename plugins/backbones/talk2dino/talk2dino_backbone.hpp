// Talk2DINO: DINOv2's tokens unchanged on the image side, CLIP's text embeddings through a small projection
// on the text side (spec/03 sections 1, 3, 4). Without a projection it is plain DINOv2.
#pragma once

#include <map>
#include <memory>
#include <patchioner/backbone.hpp>
#include <patchioner/plugin.hpp>
#include <span>
#include <string>
#include <vector>

#include "backbones/clip_text_encoder.hpp"
#include "projection.hpp"
#include "talk2dino_options.hpp"

namespace patchioner {

class Talk2DinoBackbone : public Backbone {
 public:
  Talk2DinoBackbone(Talk2DinoOptions options, const PluginContext& context);

  const ImageSpec& image_spec() const override { return images_.spec(); }
  int64_t dim() const override { return dim_; }
  BackboneCapabilities capabilities() const override;
  std::string text_fingerprint() const override;
  std::vector<std::string> intermediate_names() const override { return Dinov2Pass::results().names(); }
  ImageFeatures encode(const at::Tensor& pixels,
                       std::span<const std::string> intermediates = {}) const override;
  at::Tensor encode_text(std::span<const std::string> texts) const override;
  at::Tensor encode_token_ids(const at::Tensor& ids) const override;

  /// "position_table": grid (rows, columns) -> [1+N,D]. "projection": text [N,C] -> [N,D]. "projection_pinv":
  /// -> [C,D]. "projection_inverse": projected [N,D] -> [N,C].
  at::Tensor probe(const std::string& name, const std::map<std::string, at::Tensor>& inputs) const override;

 private:
  void load_texts();
  const TextProjection& projection() const;
  at::Tensor project(const at::Tensor& clip_text) const;
  const ClipTextEncoder& text_encoder() const;

  Talk2DinoOptions options_;
  PluginContext context_;
  Dinov2ImageSide images_;
  int64_t dim_ = 0;
  LoadedProjection projection_;
  StateDict clip_weights_;
  std::unique_ptr<const ClipTextEncoder> text_;
};

}  // namespace patchioner
