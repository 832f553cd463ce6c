// The networks that turn a feature into a soft prompt, whichever a checkpoint has: a mapping network, or two
// linear maps with tanh between (spec/04 sections 3.1 and 10).
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <variant>

#include "nn/linear.hpp"
#include "nn/mapping_network.hpp"
#include "nn/weights.hpp"

namespace patchioner {

/// Sizes of ClipCap's projector of the kind `mlp`.
struct PromptMlpConfig {
  int64_t dim = 0;      ///< D, of the features
  int64_t hidden = 0;   ///< H
  int64_t outputs = 0;  ///< P*E
  int64_t width = 0;    ///< E, of the language model
};

/// That projector. Names are "model.0.weight" [H,D], "model.2.weight" [P*E,H] and their biases. [any-thread]
class PromptMlp {
 public:
  PromptMlp(const PromptMlpConfig& config, const WeightSource& source, at::ScalarType precision = at::kFloat);

  const PromptMlpConfig& config() const { return config_; }

  /// Features [N,D] to soft prompts [N,P,E].
  at::Tensor forward(const at::Tensor& features) const;

 private:
  PromptMlpConfig config_;
  Linear first_, second_;
};

/// The sizes of either network; which of the two it is, the type tells.
using SoftPromptConfig = std::variant<MappingNetworkConfig, PromptMlpConfig>;

/// Sizes of the network of `state_dict` whose names begin with `prefix` ("clip_project."), for a language
/// model of the width `width`; `heads` are those of a mapping network. Throws an Error of kind checkpoint
/// when it is neither, or of another width, and config for heads that do not divide the width.
SoftPromptConfig infer_soft_prompt(const StateDict& state_dict, const std::string& prefix, int64_t width,
                                   int64_t heads);

/// Either of them. [any-thread]
class SoftPrompt {
 public:
  SoftPrompt(const SoftPromptConfig& config, const WeightSource& source,
             at::ScalarType precision = at::kFloat);

  int64_t dim() const;

  /// Features [N,D], as long as they were in training, to soft prompts [N,P,E]. Differentiable when the
  /// source's tensors require gradients.
  at::Tensor forward(const at::Tensor& features) const;

  /// The mapping network, or nullptr.
  const MappingNetwork* mapping_network() const { return std::get_if<MappingNetwork>(&network_); }

 private:
  std::variant<MappingNetwork, PromptMlp> network_;
};

}  // namespace patchioner
