// What `bench backbones` measures: each backbone's plugin and the eager code of the same network.
#pragma once

#include <functional>
#include <memory>
#include <patchioner/plugin.hpp>
#include <string>
#include <vector>

#include "bench_checkpoints.hpp"
#include "bench_eager.hpp"
#include "runtime/plugin_host.hpp"

namespace patchioner {

/// How the networks are made.
struct CaseSettings {
  PluginContext context;
  bool fused_attention = false;  ///< eager code that writes attention out uses the fused operator instead
  VitSize dinotxt_size = VitSize::l;
};

/// What one forward pass gives: patches, global token, attention map, or vectors of regions.
using Results = std::vector<at::Tensor>;

/// One network, loaded twice, and one input; each call is one forward pass. The eager side gives the first of
/// the plugin's results: those that its public code computes.
struct Sides {
  std::function<Results()> ours;
  std::function<Results()> eager;
};

/// One line of the table.
struct BackboneCase {
  std::string backbone;
  std::string network;                        ///< "ViT-B/16 at 224"
  std::vector<RandomCheckpoint> checkpoints;  ///< that it reads
  std::function<Sides(PluginHost& host, const CheckpointFolder& folder)> prepare;
};

/// The backbones there are, in the order of the table.
std::vector<std::string> measured_backbones();

/// The lines of these backbones, in that order.
std::vector<BackboneCase> backbone_cases(const std::vector<std::string>& backbones,
                                         const CaseSettings& settings);

}  // namespace patchioner
