#include "nn/soft_prompt.hpp"

#include <patchioner/error.hpp>

namespace patchioner {
namespace {

constexpr const char* kFirst = "model.0.";
constexpr const char* kSecond = "model.2.";

std::variant<MappingNetwork, PromptMlp> network_of(const StateDict& state_dict, TensorLoader& loader,
                                                   const std::string& prefix, int64_t width, int64_t heads,
                                                   at::Device device, at::ScalarType precision) {
  const WeightSource source = with_prefix(weights_from(loader, device), prefix);
  const TensorInfo* first = state_dict.info(prefix + kFirst + "weight");
  if (first == nullptr) {
    const MappingNetworkConfig config = infer_mapping_network(state_dict, prefix, heads);
    if (config.width != width) {
      throw Error(
          ErrorKind::checkpoint,
          "{}: the mapping network is {} wide, but the language model {}; they do not belong together",
          state_dict.path().string(), config.width, width);
    }
    return MappingNetwork(config, source, precision);
  }
  const TensorInfo* second = state_dict.info(prefix + kSecond + "weight");
  if (second == nullptr || first->shape.size() != 2 || second->shape.size() != 2 ||
      second->shape[0] < width || second->shape[0] % width != 0) {
    throw Error(
        ErrorKind::checkpoint,
        "{}: there must be {}{}weight [H,D] and {}{}weight [P*E,H], E being the language model's width "
        "{}",
        state_dict.path().string(), prefix, kFirst, prefix, kSecond, width);
  }
  return PromptMlp(first->shape[1], first->shape[0], second->shape[0], width, source, precision);
}

}  // namespace

PromptMlp::PromptMlp(int64_t dim, int64_t hidden, int64_t outputs, int64_t width, const WeightSource& source,
                     at::ScalarType precision)
    : first_(source(std::string(kFirst) + "weight", {hidden, dim}),
             source(std::string(kFirst) + "bias", {hidden}), precision),
      second_(source(std::string(kSecond) + "weight", {outputs, hidden}),
              source(std::string(kSecond) + "bias", {outputs}), precision),
      width_(width) {}

at::Tensor PromptMlp::forward(const at::Tensor& features) const {
  const at::Tensor outputs = second_.forward(first_.forward(features, Activation::tanh));  // [N,P*E]
  return outputs.view({features.size(0), -1, width_});                                     // [N,P,E]
}

SoftPrompt::SoftPrompt(const StateDict& state_dict, TensorLoader& loader, const std::string& prefix,
                       int64_t width, int64_t heads, at::Device device, at::ScalarType precision)
    : network_(network_of(state_dict, loader, prefix, width, heads, device, precision)) {}

int64_t SoftPrompt::dim() const {
  const MappingNetwork* mapping = mapping_network();
  return mapping != nullptr ? mapping->config().dim : std::get<PromptMlp>(network_).dim();
}

at::Tensor SoftPrompt::forward(const at::Tensor& features) const {
  return std::visit([&](const auto& network) { return network.forward(features); }, network_);
}

}  // namespace patchioner
