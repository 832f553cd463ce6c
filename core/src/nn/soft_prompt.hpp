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

/// ClipCap's projector of the kind `mlp`. Names are "model.0.weight" [H,D], "model.2.weight" [P*E,H] and
/// their biases. [any-thread]
class PromptMlp {
 public:
  /// `dim`, `hidden` and `outputs` are D, H and P*E; `width` is E.
  PromptMlp(int64_t dim, int64_t hidden, int64_t outputs, int64_t width, const WeightSource& source,
            at::ScalarType precision = at::kFloat);

  int64_t dim() const { return first_.in_features(); }

  /// Features [N,D] to soft prompts [N,P,E].
  at::Tensor forward(const at::Tensor& features) const;

 private:
  Linear first_, second_;
  int64_t width_;
};

/// Either of them. [any-thread]
class SoftPrompt {
 public:
  /// The network of `state_dict` whose names begin with `prefix` ("clip_project."), for a language model of
  /// the width `width`; `heads` are those of a mapping network. `loader` is one over the same `state_dict`.
  /// Throws an Error of kind checkpoint when it is neither, or of another width.
  SoftPrompt(const StateDict& state_dict, TensorLoader& loader, const std::string& prefix, int64_t width,
             int64_t heads, at::Device device, at::ScalarType precision);

  int64_t dim() const;

  /// Features [N,D], as long as they were in training, to soft prompts [N,P,E].
  at::Tensor forward(const at::Tensor& features) const;

  /// The mapping network, or nullptr.
  const MappingNetwork* mapping_network() const { return std::get_if<MappingNetwork>(&network_); }

 private:
  std::variant<MappingNetwork, PromptMlp> network_;
};

}  // namespace patchioner
