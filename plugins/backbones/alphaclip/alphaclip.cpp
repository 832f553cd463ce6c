// AlphaCLIP: a CLIP that is told by a mask, its fourth channel, where to look (spec/02 section 6). Regions
// are encoded by one pass each, with the region as the mask.
#include <ATen/core/grad_mode.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <patchioner/plugin.hpp>

#include "alpha_tower.hpp"
#include "backbones/named_results.hpp"
#include "geometry/region_rules.hpp"
#include "region_masks.hpp"

namespace patchioner {
namespace {

// Passes of regions that are in memory together. At 224 pixels they take about 100 MB.
constexpr int64_t kRegionsAtOnce = 16;

/// What the published models were given for a mask value: (m - 0.5) / 0.26.
constexpr float kMaskMean = 0.5F;
constexpr float kMaskStd = 0.26F;

// Keeps the mean over an empty mask from being 0/0, as in the reference.
constexpr double kTiny = 1e-8;

void require_shape(bool right, const char* what, const at::Tensor& found, const std::string& expected) {
  if (!right) {
    throw Error(ErrorKind::data, "{} have the shape [{}]; expected {}", what, fmt::join(found.sizes(), ","),
                expected);
  }
}

class AlphaClip : public ClipBackbone {
 public:
  AlphaClip(const AlphaClipOptions& options, const PluginContext& context)
      : ClipBackbone(load_alphaclip(options, context), options, options, context.device),
        device_(context.device),
        normalized_(options.alpha_scale == "normalized"),
        pooled_(options.region_feature == "patches"),
        mask_rule_(mask_rule_of(options.mask_rule)) {}

  BackboneCapabilities capabilities() const override {
    BackboneCapabilities has = ClipBackbone::capabilities();
    has.regions = has.global;
    return has;
  }

  /// The whole image: a mask of ones.
  ImageFeatures encode(const at::Tensor& pixels, std::span<const std::string> intermediates) const override {
    require_shape(pixels.dim() == 4 && pixels.size(1) == 3, "pixels", pixels, "[images,3,height,width]");
    const at::Tensor ones = at::ones({1, 1, 1}, pixels.options());
    return encode_channels(with_masks(pixels, ones.expand({pixels.size(0), pixels.size(2), pixels.size(3)})),
                           intermediates);
  }

  RegionFeatures encode_regions(const at::Tensor& pixels, std::span<const Region> regions,
                                const ImageGeometry& geometry) const override;

  /// Beside what ClipBackbone has: any intermediate, with `pixels` [B,3,H,W] and `masks` [B,H,W] in [0,1].
  at::Tensor probe(const std::string& name, const std::map<std::string, at::Tensor>& inputs) const override {
    const std::vector<std::string> known = intermediate_names();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return ClipBackbone::probe(name, inputs);
    }
    const at::Tensor& pixels = probe_input(inputs, name, "pixels");
    const at::Tensor& masks = probe_input(inputs, name, "masks");
    require_shape(pixels.dim() == 4 && pixels.size(1) == 3, "pixels", pixels, "[images,3,height,width]");
    require_shape(masks.dim() == 3 && masks.size(0) == pixels.size(0) &&
                      masks.sizes().slice(1) == pixels.sizes().slice(2),
                  "masks", masks, fmt::format("[{},{},{}]", pixels.size(0), pixels.size(2), pixels.size(3)));
    const std::vector<std::string> wanted = {name};
    return encode_channels(with_masks(pixels, masks), wanted).intermediates.at(name);
  }

 private:
  /// Pixels [B,3,H,W] and mask values [B,H,W] in [0,1] as the tower's four channels [B,4,H,W].
  at::Tensor with_masks(const at::Tensor& pixels, const at::Tensor& masks) const {
    const at::Tensor values = masks.to(at::kFloat);
    const at::Tensor scaled = normalized_ ? (values - kMaskMean) / kMaskStd : values;
    return at::cat({pixels, scaled.unsqueeze(1)}, 1);
  }

  /// The features [R,D] of one image's pixels [R,4,S,S] under different masks.
  at::Tensor region_rows(const at::Tensor& channels, const at::Tensor& patches) const;

  at::Device device_;
  bool normalized_;
  bool pooled_;
  MaskRule mask_rule_;
};

at::Tensor AlphaClip::region_rows(const at::Tensor& channels, const at::Tensor& patches) const {
  const VisionTransformer& tower = image_tower();
  VitRequest request;
  request.class_only = !pooled_;
  const at::Tensor tokens = tower.forward(channels, request).tokens_raw;  // [R,T,W], or [R,1,W]
  if (!pooled_) {
    return tower.project(tower.normalise(tokens.select(1, 0))).to(at::kFloat);  // [R,D]
  }
  const at::Tensor vectors = tower.project(tower.normalise(tokens.slice(1, 1))).to(at::kFloat);  // [R,G,D]
  const at::Tensor sums = at::bmm(patches.unsqueeze(1), vectors).squeeze(1);                     // [R,D]
  return sums / (patches.sum(1, true) + kTiny);
}

RegionFeatures AlphaClip::encode_regions(const at::Tensor& pixels, std::span<const Region> regions,
                                         const ImageGeometry& geometry) const {
  const at::NoGradGuard no_gradients;
  check_region_pixels(pixels, geometry);
  const at::Tensor image = pixels.to(device_);
  RegionFeatures result;
  std::vector<at::Tensor> rows;
  for (size_t start = 0; start < regions.size(); start += kRegionsAtOnce) {
    const auto some = regions.subspan(start, std::min<size_t>(kRegionsAtOnce, regions.size() - start));
    RegionMasks masks = region_masks(some, geometry, mask_rule_, pooled_);
    const auto count = static_cast<int64_t>(some.size());
    const at::Tensor channels =
        with_masks(image.expand({count, -1, -1, -1}), masks.pixels.to(device_));  // [R,4,S,S]
    rows.push_back(region_rows(channels, pooled_ ? masks.patches.to(device_) : at::Tensor()));
    for (RegionWarning& warning : masks.warnings) {
      result.warnings.push_back({start + warning.region, std::move(warning.sentence)});
    }
  }
  result.features = rows.empty() ? at::empty({0, dim()}, pixels.options().dtype(at::kFloat))
                                 : at::cat(rows).to(pixels.device());  // [R,D]
  return result;
}

}  // namespace

void declare(ParameterList<AlphaClipOptions>& list) {
  list.note("features",
            "a region: the class token of a pass with the region as fourth channel; patches of a pass "
            "without a region");
  list.note("space", "texts of the same CLIP: 512 (B/16), 768 (L/14)");
  list.note("input", "224");
  list.note("files", "OpenAI's ViT-B-16.pt and AlphaCLIP's clip_b16_grit1m_fultune_8xe.pth");
  list.note("source", "Sun et al. 2024, github.com/SunzeY/AlphaCLIP");
  declare_clip_weights_options(list);
  list.add(
          "alpha_weights", &AlphaClipOptions::alpha_weights,
          "AlphaCLIP's image tower, with conv1_alpha.weight; none: the image tower of `weights`, whose masks "
          "have no effect")
      .path()
      .choices({"none"});
  list.add(
          "alpha_scale", &AlphaClipOptions::alpha_scale,
          "what the tower is given for a mask value m: (m - 0.5) / 0.26 as the published models, or m as the "
          "reference")
      .choices({"normalized", "raw"});
  list.add("region_feature", &AlphaClipOptions::region_feature,
           "what stands for a region: the class token, or the mean of the patches that it covers")
      .choices({"cls", "patches"});
  list.add("mask_rule", &AlphaClipOptions::mask_rule,
           "pixels of the network input under a mask region: their covered share, 1 where any of it is "
           "covered, or 1 where half is")
      .choices({"coverage", "any", "half"});
  declare_image_options(list);
  declare_text_options(list);
}

}  // namespace patchioner

PATCHIONER_PLUGIN(backbone, alphaclip, "1.0", "AlphaCLIP: CLIP that is shown a region as a fourth channel",
                  patchioner::AlphaClip, patchioner::AlphaClipOptions)
