// The transformer that turns a feature into a soft prompt: ViECap's mapping network, and ClipCap's and
// CapDec's projector of the kind `transformer` (spec/04 sections 3.1 and 10).
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "nn/linear.hpp"
#include "nn/transformer.hpp"
#include "nn/weights.hpp"

namespace patchioner {

struct MappingNetworkConfig {
  int64_t dim = 0;               ///< D, of the features
  int64_t width = 0;             ///< E, of the language model
  int64_t projected_length = 0;  ///< Q: positions that the feature is spread over
  int64_t prompt_length = 0;     ///< P: positions of the soft prompt
  int64_t hidden = 0;            ///< width inside the feed-forward parts
  int64_t layers = 0;
  int64_t heads = 8;  ///< not told by the weights
};

/// Sizes of the network whose names begin with `prefix` ("mapping_network."), from the shapes of its weights.
/// Throws an Error of kind checkpoint when `prefix_const` or `linear.weight` are not there or do not go
/// together, and config for heads that do not divide the width.
MappingNetworkConfig infer_mapping_network(const StateDict& state_dict, const std::string& prefix,
                                           int64_t heads);

/// Names are "linear.weight", "prefix_const", "transformer.layers.0.attn.to_queries.weight" ...
/// [any-thread]
class MappingNetwork {
 public:
  MappingNetwork(const MappingNetworkConfig& config, const WeightSource& source,
                 at::ScalarType precision = at::kFloat);

  const MappingNetworkConfig& config() const { return config_; }

  /// Features [N,D], as long as they were in training, to soft prompts [N,P,E].
  at::Tensor forward(const at::Tensor& features) const;

  /// All positions behind the first `layers` layers [N,Q+P,E]: those of the feature, then those of the
  /// prompt.
  at::Tensor states(const at::Tensor& features, size_t layers) const;

 private:
  MappingNetworkConfig config_;
  Linear linear_;
  at::Tensor prefix_const_;  // [P,E]
  std::vector<TransformerBlock> layers_;
};

}  // namespace patchioner
