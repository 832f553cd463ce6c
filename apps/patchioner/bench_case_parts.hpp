// What the lines of `bench backbones` are put together from. Each family of backbones is one file,
// bench_cases_<name>.cpp.
#pragma once

#include <utility>

#include "bench_cases.hpp"

namespace patchioner {

using Cases = std::vector<BackboneCase>;

/// The lines of one backbone, in the order of its inputs.
Cases clip_cases(const CaseSettings& settings);
Cases denseclip_cases(const CaseSettings& settings);
Cases invite_cases(const CaseSettings& settings);
Cases proxyclip_cases(const CaseSettings& settings);
Cases dinotxt_cases(const CaseSettings& settings);
Cases talk2dino_cases(const CaseSettings& settings);
Cases alphaclip_cases(const CaseSettings& settings);
Cases regionclip_cases(const CaseSettings& settings);

/// One normalised image [1,3,side,side] of noise.
at::Tensor random_pixels(int64_t side, at::Device device);

std::shared_ptr<Backbone> open_plugin(PluginHost& host, const std::string& plugin,
                                      const std::vector<std::pair<std::string, Value>>& options,
                                      const PluginContext& context);

/// The plugin's pass over a whole image: patches [1,G,D], and where it has them global token and attention
/// map.
std::function<Results()> whole_image(std::shared_ptr<Backbone> backbone, at::Tensor pixels);

/// OpenAI's image tower.
eager::TowerCode clip_code(PositionRule positions);

}  // namespace patchioner
