// Cases of the backbone `alphaclip`: its two files, regions as masks, tokens under each mask in both scales
// (spec/02 sections 6 and 17). Dimensions, boxes and trace are read from the case.

#include "geometry/region_cover.hpp"
#include "verify/backbone_values.hpp"
#include "verify/kinds.hpp"
#include "verify/region_inputs.hpp"

namespace patchioner {
namespace {

Value::Map options_of(const GoldenCase& golden) {
  const nlohmann::json& json = golden.json();
  Value::Map options =
      case_options(golden, "alphaclip", {{"heads_vision", "heads"}, {"heads_text", "text_heads"}});
  options.emplace_back("alpha_weights", golden.file(json.at("alpha_weights").get<std::string>()).string());
  options.emplace_back("resolution", golden.tensor("input").size(3));
  if (json.contains("activation")) {
    options.emplace_back("activation", json["activation"].get<std::string>());
  }
  return options;
}

/// The regions in the order of the case's masks: each box, their union, the trace, the whole image.
std::vector<Region> regions_of(const GoldenCase& golden) {
  std::vector<Region> regions = box_regions(golden.tensor("boxes"));
  BoxSet set;
  for (const Region& region : regions) {
    if (const auto* box = std::get_if<Box>(&region.shape)) {
      set.boxes.push_back(*box);
    }
  }
  regions.push_back({set, ""});
  if (golden.json().contains("trace")) {
    Trace trace;
    for (const nlohmann::json& point : golden.json()["trace"]) {
      trace.points.push_back({point.at("x").get<double>(), point.at("y").get<double>()});
    }
    regions.push_back({trace, ""});
  }
  regions.push_back({WholeImage{}, ""});
  return regions;
}

using CoverFunction = CellGrid (*)(const RegionShape& shape, const ImageGeometry& geometry, MaskRule rule);

/// The masks [R,rows,columns] of regions.
at::Tensor masks_of(std::span<const Region> regions, const ImageGeometry& geometry, CoverFunction cover) {
  std::vector<at::Tensor> masks;
  for (const Region& region : regions) {
    const CellGrid cells = cover(region.shape, geometry, MaskRule::coverage);
    masks.push_back(
        at::tensor(at::ArrayRef<double>(cells.values), at::kFloat).view({cells.rows, cells.columns}));
  }
  return at::stack(masks);
}

/// A case and what its comparisons share.
struct AlphaCase {
  const GoldenCase& golden;
  CaseReport& report;
  CaseBackbones backbones;
  std::vector<Region> regions;
  at::Tensor image;  ///< [1,3,S,S]
  ImageGeometry geometry;

  /// An intermediate of the image under the case's masks [first,first+count).
  at::Tensor under_masks(const Backbone& backbone, const std::string& name, int64_t first,
                         int64_t count) const {
    const at::Tensor masks = golden.tensor("masks").slice(0, first, first + count);
    return backbone.probe(name, {{"pixels", image.expand({count, -1, -1, -1})}, {"masks", masks}});
  }

  void compare_tokens(const std::string& scale) {
    const std::string name = "tokens_" + scale + "_alpha";
    if (!golden.has(name)) {
      return;
    }
    const at::Tensor expected = golden.tensor(name);  // [R,T,D]
    const Backbone& backbone = backbones.with({{"alpha_scale", scale}});
    report.compare(name, under_masks(backbone, "tokens", 0, expected.size(0)));
    // What the interfaces hand out: class tokens of the regions, and the whole image under a mask of ones.
    report.compare(name, backbone.encode_regions(image, regions, geometry).features, expected.select(1, 0));
    const ImageFeatures whole = backbone.encode(image);
    report.compare(name, whole.global[0], expected[-1][0]);
    report.compare(name, whole.patches[0].flatten(0, 1), expected[-1].slice(0, 1));
  }

  /// The mean of the patches of each box. The reference gives zeros where a box has none, and ours those of a
  /// patch, which no golden value exists for.
  void compare_patch_averages(const std::string& scale) {
    const std::string name = "patch_average_" + scale;
    if (!golden.has(name)) {
      return;
    }
    const auto some = std::span(regions).first(golden.tensor(name).size(0));
    const Backbone& backbone = backbones.with({{"alpha_scale", scale}, {"region_feature", "patches"}});
    const at::Tensor any = masks_of(some, geometry, covered_patches).flatten(1).sum(1, true) > 0;  // [R,1]
    const at::Tensor ours = backbone.encode_regions(image, some, geometry).features;               // [R,D]
    report.compare(name, at::where(any, ours, at::zeros_like(ours)));
  }

  /// "attn_probs_mask<number>_<scale>"
  void compare_attention() {
    constexpr std::string_view kStart = "attn_probs_mask";
    for (const std::string& name : golden.tensor_names()) {
      const size_t scale = name.rfind('_');
      if (!name.starts_with(kStart) || scale <= kStart.size()) {
        continue;
      }
      const int64_t mask = std::stoll(name.substr(kStart.size(), scale - kStart.size()));
      const Backbone& backbone = backbones.with({{"alpha_scale", name.substr(scale + 1)}});
      report.compare(name, under_masks(backbone, "attn_probs", mask, 1));
    }
  }

  /// Without alpha weights: the tokens of the plain CLIP, whatever the mask.
  void compare_without_alpha(CaseHost& host, const Value::Map& options) {
    const std::string name = "tokens_without_alpha_checkpoint";
    if (!golden.has(name)) {
      return;
    }
    const Backbone& backbone = backbones.with({{"alpha_weights", "none"}});
    for (const int64_t mask : {int64_t{0}, static_cast<int64_t>(regions.size()) - 1}) {
      report.compare(name, under_masks(backbone, "tokens", mask, 1));
    }
    Value clip = options;
    clip.set("plugin", "clip");
    clip.set("format", "openai");
    clip.erase("alpha_weights");
    const std::vector<std::string> wanted = {"tokens"};
    report.compare(name, host.backbone(clip)->encode(image, wanted).intermediates.at("tokens"));
  }
};

}  // namespace

void verify_alphaclip(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const Value::Map options = options_of(golden);
  const at::Tensor input = golden.tensor("input");  // [B,3,S,S]
  AlphaCase alpha{golden, report, CaseBackbones(host, options), regions_of(golden), input.slice(0, 0, 1), {}};
  const Backbone& backbone = alpha.backbones.with();
  if (golden.json().contains("images")) {
    const auto images = golden.json()["images"].get<std::vector<std::string>>();
    report.compare("input", preprocess_images(golden, images, backbone.image_spec()));
  }
  report.used_as_input("input");
  report.used_as_input("boxes");
  alpha.geometry = geometry_of(backbone.image_spec(), input.size(3), input.size(2));
  report.compare("masks", masks_of(alpha.regions, alpha.geometry, covered_pixels));
  if (golden.has("patch_masks")) {
    const auto some = std::span(alpha.regions).first(golden.tensor("patch_masks").size(0));
    report.compare("patch_masks", masks_of(some, alpha.geometry, covered_patches));
  }
  for (const char* scale : {"raw", "normalized"}) {
    alpha.compare_tokens(scale);
    alpha.compare_patch_averages(scale);
  }
  alpha.compare_attention();
  alpha.compare_without_alpha(host, options);
  if (golden.has("text_ids")) {
    report.used_as_input("text_ids");
    report.compare("text_embed", backbone.encode_token_ids(golden.tensor("text_ids")));
  }
}

}  // namespace patchioner
