#include "nn/soft_prompt.hpp"

#include <patchioner/error.hpp>

namespace patchioner {
namespace {

constexpr const char* kFirst = "model.0.";
constexpr const char* kSecond = "model.2.";

std::variant<MappingNetwork, PromptMlp> network_of(const SoftPromptConfig& config, const WeightSource& source,
                                                   at::ScalarType precision) {
  if (const auto* mapping = std::get_if<MappingNetworkConfig>(&config)) {
    return MappingNetwork(*mapping, source, precision);
  }
  return PromptMlp(std::get<PromptMlpConfig>(config), source, precision);
}

}  // namespace

PromptMlp::PromptMlp(const PromptMlpConfig& config, const WeightSource& source, at::ScalarType precision)
    : config_(config),
      first_(source(std::string(kFirst) + "weight", {config.hidden, config.dim}),
             source(std::string(kFirst) + "bias", {config.hidden}), precision),
      second_(source(std::string(kSecond) + "weight", {config.outputs, config.hidden}),
              source(std::string(kSecond) + "bias", {config.outputs}), precision) {}

at::Tensor PromptMlp::forward(const at::Tensor& features) const {
  const at::Tensor outputs = second_.forward(first_.forward(features, Activation::tanh));  // [N,P*E]
  return outputs.view({features.size(0), -1, config_.width});                              // [N,P,E]
}

SoftPromptConfig infer_soft_prompt(const StateDict& state_dict, const std::string& prefix, int64_t width,
                                   int64_t heads) {
  const TensorInfo* first = state_dict.info(prefix + kFirst + "weight");
  if (first == nullptr) {
    const MappingNetworkConfig config = infer_mapping_network(state_dict, prefix, heads);
    if (config.width != width) {
      throw Error(
          ErrorKind::checkpoint,
          "{}: the mapping network is {} wide, but the language model {}; they do not belong together",
          state_dict.path().string(), config.width, width);
    }
    return config;
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
  return PromptMlpConfig{first->shape[1], first->shape[0], second->shape[0], width};
}

SoftPrompt::SoftPrompt(const SoftPromptConfig& config, const WeightSource& source, at::ScalarType precision)
    : network_(network_of(config, source, precision)) {}

int64_t SoftPrompt::dim() const {
  return std::visit([](const auto& network) { return network.config().dim; }, network_);
}

at::Tensor SoftPrompt::forward(const at::Tensor& features) const {
  return std::visit([&](const auto& network) { return network.forward(features); }, network_);
}

}  // namespace patchioner
