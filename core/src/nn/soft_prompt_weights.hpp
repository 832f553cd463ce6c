// The parameters of a soft prompt's network: what is loaded, trained and saved. Computing with them is the
// business of soft_prompt.hpp, which is also what differentiates.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <utility>
#include <vector>

#include "nn/soft_prompt.hpp"

namespace patchioner {

/// All parameters by the names that SoftPrompt asks for, sorted, float32; the tensors are shared.
struct SoftPromptWeights {
  SoftPromptConfig config;
  std::vector<std::pair<std::string, at::Tensor>> named;

  int64_t dim() const;
  /// P, positions of the soft prompt.
  int64_t prompt_length() const;

  /// The network over these tensors themselves: they train when they require gradients. It holds derived
  /// tensors, so after an update of the parameters it is made anew.
  SoftPrompt network(at::ScalarType precision = at::kFloat) const;

  void move_to(at::Device device);
};

/// The parameters that a network of these sizes asks `source` for.
SoftPromptWeights soft_prompt_weights(const SoftPromptConfig& config, const WeightSource& source);

/// Fresh parameters as PyTorch begins with: weights and biases uniform in +-1/sqrt(inputs), layer norms 1 and
/// 0, the learned constant of a mapping network N(0,1). Throws an Error of kind config for sizes that no
/// network can have.
SoftPromptWeights initialise_soft_prompt(const SoftPromptConfig& config, at::Generator& generator);

}  // namespace patchioner
