// CLIP, DenseCLIP and INViTE: one tower, three checkpoints and masks.
#include <fmt/format.h>

#include "bench_case_parts.hpp"

namespace patchioner {
namespace {

using eager::Tower;
using eager::TowerCode;
using eager::Weights;
using Options = std::vector<std::pair<std::string, Value>>;

/// Every token through the final norm and the projection: patches and global token.
std::function<Results()> clip_pass(std::shared_ptr<const Tower> tower, at::Tensor pixels) {
  return [tower = std::move(tower), pixels = std::move(pixels)] {
    const at::Tensor tokens = tower->project(
        tower->normalise(tower->run(tower->embed(pixels), tower->blocks().size())));  // [1,T,D]
    return Results{tokens.slice(1, 1), tokens.select(1, 0)};
  };
}

struct ClipCase {
  std::string plugin;
  int64_t side = 0;
  RandomCheckpoint checkpoint = clip_b16_checkpoint();
  std::string prefix = "visual.";
  TowerCode code;
};

BackboneCase clip_case(const ClipCase& what, const PluginContext& context) {
  return {what.plugin,
          fmt::format("ViT-B/16 at {}", what.side),
          {what.checkpoint},
          [what, context](PluginHost& host, const CheckpointFolder& folder) {
            const std::string file = folder.torch_file(what.checkpoint);
            const at::Tensor pixels = random_pixels(what.side, context.device);
            const Options options = {{"weights", file}, {"resolution", what.side}};
            return Sides{whole_image(open_plugin(host, what.plugin, options, context), pixels),
                         clip_pass(std::make_shared<Tower>(Weights(file, context.device).at(what.prefix),
                                                           what.code, what.side),
                                   pixels)};
          }};
}

}  // namespace

TowerCode clip_code(PositionRule positions) {
  TowerCode code;
  code.positions = positions;
  return code;
}

Cases clip_cases(const CaseSettings& settings) {
  Cases cases;
  for (const int64_t side : {224, 592}) {
    cases.push_back(clip_case({.plugin = "clip", .side = side, .code = clip_code(PositionRule::bicubic_aa)},
                              settings.context));
  }
  return cases;
}

Cases denseclip_cases(const CaseSettings& settings) {
  return {clip_case(
      {"denseclip", 640, denseclip_b16_checkpoint(), "backbone.", clip_code(PositionRule::bilinear)},
      settings.context)};
}

Cases invite_cases(const CaseSettings& settings) {
  Cases cases;
  for (const int64_t side : {224, 592}) {
    TowerCode code = clip_code(PositionRule::bicubic);
    code.masked_last_blocks = 1;
    cases.push_back(clip_case({.plugin = "invite", .side = side, .code = code}, settings.context));
  }
  return cases;
}

}  // namespace patchioner
