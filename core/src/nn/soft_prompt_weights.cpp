#include "nn/soft_prompt_weights.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <patchioner/error.hpp>

namespace patchioner {

int64_t SoftPromptWeights::dim() const {
  return std::visit([](const auto& sizes) { return sizes.dim; }, config);
}

int64_t SoftPromptWeights::prompt_length() const {
  if (const auto* mapping = std::get_if<MappingNetworkConfig>(&config)) {
    return mapping->prompt_length;
  }
  const auto& mlp = std::get<PromptMlpConfig>(config);
  return mlp.outputs / mlp.width;
}

SoftPrompt SoftPromptWeights::network(at::ScalarType precision) const {
  const std::map<std::string, at::Tensor> tensors(named.begin(), named.end());
  return SoftPrompt(
      config, [&](const std::string& name, const std::vector<int64_t>&) { return tensors.at(name); },
      precision);
}

void SoftPromptWeights::move_to(at::Device device) {
  for (auto& [name, tensor] : named) {
    tensor = tensor.to(device);
  }
}

SoftPromptWeights soft_prompt_weights(const SoftPromptConfig& config, const WeightSource& source) {
  SoftPromptWeights weights{config, {}};
  const SoftPrompt asking(config, [&](const std::string& name, const std::vector<int64_t>& shape) {
    weights.named.emplace_back(name, source(name, shape));
    return weights.named.back().second;
  });
  // The order in which a compiler evaluates arguments must not matter.
  std::sort(weights.named.begin(), weights.named.end(),
            [](const auto& left, const auto& right) { return left.first < right.first; });
  return weights;
}

SoftPromptWeights initialise_soft_prompt(const SoftPromptConfig& config, at::Generator& generator) {
  if (const auto* mapping = std::get_if<MappingNetworkConfig>(&config);
      mapping != nullptr && (mapping->heads < 1 || mapping->width % mapping->heads != 0)) {
    throw Error(ErrorKind::config, "{} heads do not divide the mapping network's width {}", mapping->heads,
                mapping->width);
  }
  SoftPromptWeights weights = soft_prompt_weights(
      config,
      [](const std::string&, const std::vector<int64_t>& shape) { return at::empty(shape, at::kFloat); });
  const std::map<std::string, at::Tensor> tensors(weights.named.begin(), weights.named.end());
  for (auto& [name, tensor] : weights.named) {
    if (name.find("norm") != std::string::npos) {
      tensor.fill_(name.ends_with("weight") ? 1 : 0);
    } else if (name == "prefix_const") {
      tensor.normal_(0, 1, generator);
    } else {
      const std::string layer = name.substr(0, name.rfind('.'));
      const double bound = 1.0 / std::sqrt(static_cast<double>(tensors.at(layer + ".weight").size(1)));
      tensor.uniform_(-bound, bound, generator);
    }
  }
  return weights;
}

}  // namespace patchioner
