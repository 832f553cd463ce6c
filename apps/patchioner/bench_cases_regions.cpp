// AlphaCLIP and RegionCLIP, which encode regions themselves: eight boxes of one image.
#include <fmt/format.h>

#include "bench_case_parts.hpp"
#include "bench_eager_resnet.hpp"

namespace patchioner {
namespace {

using eager::AttentionCode;
using eager::Tower;
using eager::TowerCode;
using eager::Weights;
using Options = std::vector<std::pair<std::string, Value>>;

// Sides of the inputs, pixels: the paper's.
constexpr int64_t kAlphaClipSide = 224;
constexpr int64_t kRegionClipSide = 512;

/// Eight boxes of different sizes, whole pixels of an input of `side`.
std::vector<Region> eight_boxes(int64_t side) {
  std::vector<Region> regions;
  for (int64_t i = 0; i < 8; ++i) {
    const auto cell = static_cast<double>(side / 16);
    const auto place = static_cast<double>(i);
    regions.push_back({Box{place * cell, (7 - place) * cell, (place + 1) * cell, (9 - place) * cell}, ""});
  }
  return regions;
}

std::function<Results()> boxes_of_image(std::shared_ptr<Backbone> backbone, at::Tensor pixels) {
  const int64_t side = pixels.size(2);
  const ImageGeometry geometry = geometry_of(backbone->image_spec(), side, side);
  return [backbone = std::move(backbone), pixels = std::move(pixels), regions = eight_boxes(side), geometry] {
    return Results{backbone->encode_regions(pixels, regions, geometry).features};
  };
}

/// AlphaCLIP, one pass a box as the reference runs it: class tokens.
std::function<Results()> alpha_pass(std::shared_ptr<const Tower> tower, at::Tensor pixels) {
  constexpr double kMaskMean = 0.5;
  constexpr double kMaskDeviation = 0.26;
  return [tower = std::move(tower), pixels = std::move(pixels)] {
    const int64_t side = pixels.size(2);
    std::vector<at::Tensor> rows;
    for (const Region& region : eight_boxes(side)) {
      const Box box = std::get<Box>(region.shape);
      const auto left = static_cast<int64_t>(box.x);
      const auto top = static_cast<int64_t>(box.y);
      at::Tensor mask = at::zeros({1, 1, side, side}, pixels.options());
      mask.slice(2, top, top + static_cast<int64_t>(box.height))
          .slice(3, left, left + static_cast<int64_t>(box.width))
          .fill_(1);
      const at::Tensor tokens = tower->run(tower->embed(pixels, (mask - kMaskMean) / kMaskDeviation),
                                           tower->blocks().size());  // [1,T,W]
      rows.push_back(tower->project(tower->normalise(tokens.select(1, 0))));
    }
    return Results{at::cat(rows)};  // [R,D]
  };
}

at::Tensor unit_length(const at::Tensor& rows) {
  return rows / rows.norm(2, {-1}, true).clamp_min(1e-12);
}

std::function<Results()> regionclip_pass(std::shared_ptr<const eager::RegionClip> network, at::Tensor pixels,
                                         bool boxes) {
  constexpr double kInnerStride = 16;
  constexpr int64_t kPooledSide = 14;
  if (!boxes) {
    return [network = std::move(network), pixels = std::move(pixels)] {
      const at::Tensor rows = unit_length(network->pool(network->layer4(network->layer3(pixels)), true));
      return Results{rows.slice(1, 1), rows.select(1, 0)};
    };
  }
  std::vector<PixelBox> places;
  for (const Region& region : eight_boxes(pixels.size(2))) {
    const Box box = std::get<Box>(region.shape);
    places.push_back({box.x, box.y, box.x + box.width, box.y + box.height});
  }
  return [network = std::move(network), pixels = std::move(pixels), places = std::move(places)] {
    const at::Tensor cut = eager::roi_align(network->layer3(pixels), places, 1 / kInnerStride, kPooledSide);
    return Results{unit_length(network->pool(network->layer4(cut), false).select(1, 0))};
  };
}

}  // namespace

Cases alphaclip_cases(const CaseSettings& settings) {
  const RandomCheckpoint clip = clip_b16_checkpoint();
  const RandomCheckpoint alpha = alphaclip_b16_checkpoint();
  return {
      {"alphaclip",
       fmt::format("ViT-B/16 at {}, 8 boxes", kAlphaClipSide),
       {clip, alpha},
       [clip, alpha, settings](PluginHost& host, const CheckpointFolder& folder) {
         const std::string clip_file = folder.torch_file(clip);
         const std::string alpha_file = folder.torch_file(alpha);
         const at::Device device = settings.context.device;
         const at::Tensor pixels = random_pixels(kAlphaClipSide, device);
         TowerCode code;
         code.attention = settings.fused_attention ? AttentionCode::fused : AttentionCode::written;
         const Options options = {{"weights", clip_file}, {"alpha_weights", alpha_file}};
         return Sides{
             boxes_of_image(open_plugin(host, "alphaclip", options, settings.context), pixels),
             alpha_pass(std::make_shared<Tower>(Weights(alpha_file, device), code, kAlphaClipSide), pixels)};
       }}};
}

Cases regionclip_cases(const CaseSettings& settings) {
  const RandomCheckpoint checkpoint = regionclip_rn50_checkpoint();
  Cases cases;
  for (const bool boxes : {false, true}) {
    cases.push_back(
        {"regionclip",
         fmt::format("RN50 at {}{}", kRegionClipSide, boxes ? ", 8 boxes" : ""),
         {checkpoint},
         [checkpoint, settings, boxes](PluginHost& host, const CheckpointFolder& folder) {
           const at::Device device = settings.context.device;
           const std::string file = folder.torch_file(checkpoint);
           const at::Tensor pixels = random_pixels(kRegionClipSide, device);
           const std::shared_ptr<Backbone> backbone = open_plugin(
               host, "regionclip", {{"weights", file}, {"resolution", kRegionClipSide}}, settings.context);
           return Sides{boxes ? boxes_of_image(backbone, pixels) : whole_image(backbone, pixels),
                        regionclip_pass(std::make_shared<eager::RegionClip>(
                                            Weights(file, device).at("backbone."), kRegionClipSide),
                                        pixels, boxes)};
         }});
  }
  return cases;
}

}  // namespace patchioner
