// The backbone that CLIP's family shares (CLIP, INViTE, DenseCLIP, AlphaCLIP): every token of an image tower
// through the final norm and the projection, a text tower beside it (spec/02 sections 1, 2, 8, 9). A plugin
// loads the towers and says where they came from; what it does otherwise it overrides.
#pragma once

#include <map>
#include <memory>
#include <patchioner/backbone.hpp>
#include <patchioner/plugin.hpp>
#include <span>
#include <string>
#include <vector>

#include "backbones/backbone_options.hpp"
#include "backbones/clip_model.hpp"
#include "backbones/clip_text_encoder.hpp"

namespace patchioner {

/// What a backbone of CLIP's family is made of.
struct ClipBackboneParts {
  std::string plugin;                  ///< its name, for messages
  LazyTower<VisionTransformer> image;  ///< or nothing
  LazyTower<ClipText> text;            ///< or nothing
  StateDict image_weights;             ///< where the image tower comes from, for messages
  StateDict text_weights;              ///< where the text tower comes from, for messages and the fingerprint
  std::optional<std::array<float, 3>> mean;  ///< of pixels; unset: CLIP's
  std::optional<std::array<float, 3>> std;
  bool final_norm = true;  ///< false: tokens go to the projection without the final norm
  /// What a message says to do when there is no image tower, or no text tower, and one is needed.
  std::string image_advice = "images need a whole CLIP or an image-tower checkpoint";
  std::string text_advice = "texts need a whole CLIP or a text-tower checkpoint";
  std::string text_digest;  ///< lines of settings beyond the tower's own that decide a text's vector
};

/// How a CLIP's checkpoint is to be loaded by a plugin's options.
ClipLoadOptions clip_load_options(const ClipWeightsOptions& options, const PluginContext& context);

/// The towers of the one checkpoint `options.weights`. Errors as of load_clip.
ClipBackboneParts load_clip_parts(const std::string& plugin, const ClipWeightsOptions& options,
                                  const ClipLoadOptions& load);

class ClipBackbone : public Backbone {
 public:
  /// Throws Error: checkpoint when there is neither tower, config for options that the towers cannot take.
  ClipBackbone(ClipBackboneParts parts, const ImageOptions& image_options, const TextOptions& text_options,
               at::Device device);

  const ImageSpec& image_spec() const override { return spec_; }
  int64_t dim() const override { return dim_; }
  BackboneCapabilities capabilities() const override;
  std::string text_fingerprint() const override;
  std::vector<std::string> intermediate_names() const override;
  ImageFeatures encode(const at::Tensor& pixels,
                       std::span<const std::string> intermediates = {}) const override;
  at::Tensor encode_text(std::span<const std::string> texts) const override;
  at::Tensor encode_token_ids(const at::Tensor& ids) const override;

  /// "position_table": grid (rows, columns) -> [1+G,W].
  at::Tensor probe(const std::string& name, const std::map<std::string, at::Tensor>& inputs) const override;

 protected:
  /// The tower; an Error of kind checkpoint that says what is missing when there is none.
  const VisionTransformer& image_tower() const;
  const ClipTextEncoder& text_encoder() const;

  /// encode() of pixels that the tower reads as they are: [B,C,H,W], C its channels.
  ImageFeatures encode_channels(const at::Tensor& pixels, std::span<const std::string> intermediates) const;

 private:
  ClipBackboneParts parts_;
  at::Device device_;
  MapReduce map_reduce_ = MapReduce::logits;
  ImageSpec spec_;
  int64_t dim_ = 0;
  std::unique_ptr<const ClipTextEncoder> text_;
};

}  // namespace patchioner
