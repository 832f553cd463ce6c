// DINO.txt: DINOv2's tokens through a vision head of two blocks, and a text encoder of its own whose vectors
// have one half for the class token and one for the patches (spec/03 section 6).
#pragma once

#include <map>
#include <memory>
#include <patchioner/backbone.hpp>
#include <patchioner/plugin.hpp>
#include <span>
#include <string>
#include <vector>

#include "backbones/clip_text_encoder.hpp"
#include "dinotxt_options.hpp"
#include "vision_head.hpp"

namespace patchioner {

class DinotxtBackbone : public Backbone {
 public:
  DinotxtBackbone(DinotxtOptions options, const PluginContext& context);

  const ImageSpec& image_spec() const override { return images_.spec(); }
  int64_t dim() const override { return dim_; }
  BackboneCapabilities capabilities() const override;
  std::string text_fingerprint() const override;
  std::vector<std::string> intermediate_names() const override;
  ImageFeatures encode(const at::Tensor& pixels,
                       std::span<const std::string> intermediates = {}) const override;
  at::Tensor encode_text(std::span<const std::string> texts) const override;
  at::Tensor encode_token_ids(const at::Tensor& ids) const override;

  /// "position_table": grid (rows, columns) -> [1+N,D]. "text_features": ids [N,C] -> [N,2*D], both halves.
  at::Tensor probe(const std::string& name, const std::map<std::string, at::Tensor>& inputs) const override;

 private:
  void load_head();
  void load_texts();
  at::Tensor chosen_half(const at::Tensor& texts) const;
  const ClipTextEncoder& text_encoder() const;

  DinotxtOptions options_;
  PluginContext context_;
  Dinov2ImageSide images_;
  LazyTower<VisionHead> head_;  // or nothing
  int64_t dim_ = 0;
  StateDict text_weights_;
  std::unique_ptr<const ClipTextEncoder> text_;
};

}  // namespace patchioner
