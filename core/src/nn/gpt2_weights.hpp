// GPT-2's settings and parameters in the layout of its checkpoints: what is loaded, trained and saved.
// Running it is the business of gpt2.hpp (inference) and gpt2_training.hpp (differentiable).
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <utility>
#include <vector>

#include "checkpoint/state_dict.hpp"

namespace patchioner {

/// Sizes and rates of a GPT-2; the names are those of the original config files, the defaults those of the
/// plain decoder (spec/01 section 6).
struct Gpt2Config {
  int64_t vocab_size = 50257;
  int64_t n_positions = 1024;
  int64_t n_embd = 768;
  int64_t n_layer = 4;
  int64_t n_head = 4;
  int64_t n_inner = 0;  ///< width of the MLP; 0 means 4 * n_embd
  double layer_norm_epsilon = 1e-5;
  double initializer_range = 0.02;
  double resid_pdrop = 0.1;  ///< dropout of what a block adds, while training
  double embd_pdrop = 0.1;   ///< dropout of the embeddings, while training
  double attn_pdrop = 0.1;   ///< dropout of the attention weights, while training

  int64_t inner() const { return n_inner > 0 ? n_inner : 4 * n_embd; }
  int64_t head_width() const { return n_embd / n_head; }

  /// Throws an Error of kind config for sizes that no model can have (`where` stands in front of the
  /// message).
  void check(const std::string& where) const;
};

/// Parameters of one block. The matrices of c_attn, c_proj and c_fc are input x output: y = x W + b.
struct Gpt2Layer {
  at::Tensor ln_1_weight, ln_1_bias;            // [E]
  at::Tensor c_attn_weight, c_attn_bias;        // [E,3E], [3E]; columns q, k, v
  at::Tensor attn_proj_weight, attn_proj_bias;  // [E,E], [E]
  at::Tensor ln_2_weight, ln_2_bias;            // [E]
  at::Tensor c_fc_weight, c_fc_bias;            // [E,inner], [inner]
  at::Tensor mlp_proj_weight, mlp_proj_bias;    // [inner,E], [E]
};

/// All parameters, float32. The output head is tied to the token embedding.
struct Gpt2Weights {
  Gpt2Config config;
  at::Tensor token_embedding;     // [V,E]
  at::Tensor position_embedding;  // [n_positions,E]
  std::vector<Gpt2Layer> layers;
  at::Tensor ln_f_weight, ln_f_bias;  // [E]

  /// Name and tensor of each parameter, "transformer.wte.weight" first, in the order of the original
  /// checkpoints; the tensors are shared.
  std::vector<std::pair<std::string, at::Tensor>> named() const;

  void move_to(at::Device device);
};

/// Fills the sizes of `config` that are 0 from the shapes of a checkpoint whose names begin with `prefix`
/// ("decoder."). What the shapes do not tell (n_head) and what is absent stays as it is.
void infer_gpt2_sizes(const StateDict& state_dict, const std::string& prefix, Gpt2Config& config);

/// Takes the parameters out of `loader`; missing and mis-shaped ones are reported by its finish(). The
/// causal-mask buffers of older files are ignored. An lm_head that is there replaces the token embedding,
/// since both are one tensor in the model that wrote the file and the head was read last; when they differ, a
/// warning says so.
Gpt2Weights load_gpt2(TensorLoader& loader, const std::string& prefix, const Gpt2Config& config);

/// Fresh parameters: matrices and embeddings N(0, initializer_range), projections back to the stream divided
/// by sqrt(2 n_layer), biases 0, layer norms 1 and 0 (spec/01 section 6.2).
Gpt2Weights initialise_gpt2(const Gpt2Config& config, at::Generator& generator);

}  // namespace patchioner
