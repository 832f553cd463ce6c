#include "nn/mapping_network.hpp"

#include <patchioner/error.hpp>

namespace patchioner {
namespace {

constexpr const char* kLinearWeight = "linear.weight";
constexpr const char* kPrefixConst = "prefix_const";

// What a block calls its packed queries, keys and values; the checkpoints have them in two tensors.
constexpr const char* kPacked = "attn.to_queries_keys_values.weight";

std::string layer_prefix(int64_t layer) {
  return fmt::format("transformer.layers.{}.", layer);
}

BlockNames block_names() {
  BlockNames names;
  names.norm1 = "norm1";
  names.qkv_weight = kPacked;
  names.proj = "attn.project";
  names.norm2 = "norm2";
  names.fc1 = "mlp.fc1";
  names.fc2 = "mlp.fc2";
  return names;
}

/// The tensors of a layer, with the queries' rows put in front of those of keys and values.
WeightSource packing(WeightSource source, int64_t width) {
  return [source = std::move(source), width](const std::string& name, const std::vector<int64_t>& shape) {
    if (name != kPacked) {
      return source(name, shape);
    }
    return at::cat({source("attn.to_queries.weight", {width, width}),
                    source("attn.to_keys_values.weight", {2 * width, width})});
  };
}

}  // namespace

MappingNetworkConfig infer_mapping_network(const StateDict& state_dict, const std::string& prefix,
                                           int64_t heads) {
  const TensorInfo* linear = state_dict.info(prefix + kLinearWeight);
  const TensorInfo* constant = state_dict.info(prefix + kPrefixConst);
  if (linear == nullptr || constant == nullptr || linear->shape.size() != 2 || constant->shape.size() != 2 ||
      constant->shape[1] < 1 || linear->shape[0] < constant->shape[1] ||
      linear->shape[0] % constant->shape[1] != 0) {
    throw Error(ErrorKind::checkpoint,
                "{}: there must be {}{} [Q*E,D] and {}{} [P,E], the beginning of a mapping network",
                state_dict.path().string(), prefix, kLinearWeight, prefix, kPrefixConst);
  }
  MappingNetworkConfig config;
  config.prompt_length = constant->shape[0];
  config.width = constant->shape[1];
  config.projected_length = linear->shape[0] / config.width;
  config.dim = linear->shape[1];
  config.heads = heads;
  config.hidden = 2 * config.width;
  const TensorInfo* inner = state_dict.info(prefix + layer_prefix(0) + "mlp.fc1.weight");
  if (inner != nullptr && inner->shape.size() == 2) {
    config.hidden = inner->shape[0];
  }
  while (state_dict.contains_prefix(prefix + layer_prefix(config.layers))) {
    ++config.layers;
  }
  if (heads < 1 || config.width % heads != 0) {
    throw Error(ErrorKind::config,
                "{}: {} heads do not divide the mapping network's width {}; give the number that it was "
                "trained with",
                state_dict.path().string(), heads, config.width);
  }
  return config;
}

MappingNetwork::MappingNetwork(const MappingNetworkConfig& config, const WeightSource& source,
                               at::ScalarType precision)
    : config_(config) {
  const int64_t spread = config.projected_length * config.width;
  linear_ = Linear(source(kLinearWeight, {spread, config.dim}), source("linear.bias", {spread}), precision);
  prefix_const_ = source(kPrefixConst, {config.prompt_length, config.width});
  BlockConfig block;
  block.width = config.width;
  block.heads = config.heads;
  block.hidden = config.hidden;
  block.activation = Activation::relu;
  block.qkv_bias = false;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    layers_.emplace_back(block, block_names(),
                         packing(with_prefix(source, layer_prefix(layer)), config.width), precision);
  }
}

at::Tensor MappingNetwork::states(const at::Tensor& features, size_t layers) const {
  const int64_t rows = features.size(0);
  const at::Tensor spread =
      linear_.forward(features).view({rows, config_.projected_length, config_.width});  // [N,Q,E]
  const at::Tensor constant = prefix_const_.expand({rows, config_.prompt_length, config_.width});
  at::Tensor x = at::cat({spread, constant}, 1);  // [N,Q+P,E]
  for (size_t layer = 0; layer < std::min(layers, layers_.size()); ++layer) {
    x = layers_[layer].forward(x);
  }
  return x;
}

at::Tensor MappingNetwork::forward(const at::Tensor& features) const {
  return states(features, layers_.size()).slice(1, config_.projected_length);  // [N,P,E]
}

}  // namespace patchioner
