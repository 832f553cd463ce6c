// RegionCLIP: a ResNet whose attention pool gives patches, the image, and - over the pooled inside of a box -
// regions in the space of its language encoder (spec/02 section 7).
#pragma once

#include <map>
#include <memory>
#include <patchioner/backbone.hpp>
#include <patchioner/plugin.hpp>
#include <span>
#include <string>
#include <vector>

#include "backbones/clip_text_encoder.hpp"
#include "regionclip_model.hpp"
#include "regionclip_options.hpp"

namespace patchioner {

class RegionClipBackbone : public Backbone {
 public:
  RegionClipBackbone(RegionClipOptions options, const PluginContext& context);

  const ImageSpec& image_spec() const override { return spec_; }
  int64_t dim() const override { return dim_; }
  BackboneCapabilities capabilities() const override;
  std::string text_fingerprint() const override;
  std::vector<std::string> intermediate_names() const override;

  /// Patches and global token are L2-normalised.
  ImageFeatures encode(const at::Tensor& pixels,
                       std::span<const std::string> intermediates = {}) const override;
  at::Tensor encode_text(std::span<const std::string> texts) const override;
  at::Tensor encode_token_ids(const at::Tensor& ids) const override;

  /// The smallest box around each region, pooled from the last but one map: [R,D], L2-normalised.
  RegionFeatures encode_regions(const at::Tensor& pixels, std::span<const Region> regions,
                                const ImageGeometry& geometry) const override;

  /// "position_table": grid (rows, columns) -> [1+G,E] of the attention pool.
  at::Tensor probe(const std::string& name, const std::map<std::string, at::Tensor>& inputs) const override;

 private:
  const RegionClipImage& image_tower() const;
  const ClipTextEncoder& text_encoder() const;
  void load_texts();
  void set_spec();

  RegionClipOptions options_;
  PluginContext context_;
  RegionClipFile file_;
  StateDict text_file_;  // `weights` again where texts have no file of their own
  LazyTower<RegionClipImage> image_;
  std::unique_ptr<const ClipTextEncoder> text_;
  ImageSpec spec_;
  int64_t dim_ = 0;
};

}  // namespace patchioner
