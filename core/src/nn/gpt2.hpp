// GPT-2 for inference: packed weights, a cache of keys and values, all rows at once. Serves every decoder
// that speaks through a GPT-2: it reads embeddings, so a soft prompt, a hard prompt and a token are the same
// to it.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

#include "nn/gpt2_weights.hpp"
#include "nn/linear.hpp"

namespace patchioner {

class Gpt2;
class Gpt2Branches;

/// Keys and values of the positions that were run so far, for N rows that advance together. Belongs to one
/// search.
class Gpt2Cache {
 public:
  /// Room for `capacity` positions (at most the model's n_positions) of `rows` rows.
  Gpt2Cache(const Gpt2& model, int64_t rows, int64_t capacity);

  /// Rows of unequal length are aligned on the right: row r has `padding[r]` unused positions in front, which
  /// nobody attends to and which do not count as positions. [N] int64; to be said before the first run.
  void set_left_padding(const at::Tensor& padding);

  /// Keeps the rows `rows` [N'] (int64) in that order; a row may be named twice or not at all (finished).
  void select(const at::Tensor& rows);

  int64_t rows() const { return rows_; }
  int64_t length() const { return length_; }

 private:
  friend class Gpt2;
  friend class Gpt2Branches;
  struct Layer {
    at::Tensor keys;    // [N,heads,capacity,head width]
    at::Tensor values;  // [N,heads,capacity,head width]
  };
  std::vector<Layer> layers_;
  at::Tensor padding_;  // [N] int64, or undefined
  int64_t rows_ = 0;
  int64_t capacity_ = 0;
  int64_t length_ = 0;
};

/// The model. Immutable. [any-thread]
class Gpt2 {
 public:
  Gpt2() = default;
  /// Packs `weights` for computing in `precision` (float32 or bfloat16) on the device that they are on. Later
  /// changes of `weights` are not seen. The residual stream, the layer norms and the results stay float32,
  /// and on a GPU the head that gives logits does.
  Gpt2(const Gpt2Weights& weights, at::ScalarType precision);

  const Gpt2Config& config() const { return config_; }

  /// Token embeddings of ids [...] int64: [...,E].
  at::Tensor embed(const at::Tensor& ids) const;

  /// Runs T further positions of every row: embeddings [N,T,E] (without positions, which are added here) to
  /// hidden states [N,T,E] after the final layer norm; the cache grows by T. Throws an Error of kind data
  /// when it is full. `blocks`, when given, receives what each block put out [N,T,E].
  at::Tensor run(const at::Tensor& embeddings, Gpt2Cache& cache,
                 std::vector<at::Tensor>* blocks = nullptr) const;

  /// One further position of every branch: embeddings [B,E] to hidden states [B,E], as run().
  at::Tensor run(const at::Tensor& embeddings, Gpt2Branches& branches) const;

  /// Throws an Error of kind config, which names both numbers, when texts of that length are too long.
  void check_length(int64_t positions) const;

  /// Hidden states [...,E] to logits [...,V], float32.
  at::Tensor logits(const at::Tensor& hidden) const;

 private:
  friend class Gpt2Cache;
  struct Layer {
    at::Tensor ln_1_weight, ln_1_bias, ln_2_weight, ln_2_bias;  // [E]
    Linear attention_in, attention_out, mlp_in, mlp_out;
  };
  /// What reads the queries, keys and values [N,T,3E] of a layer and gives [N,T,E].
  using Attention = std::function<at::Tensor(size_t layer, const at::Tensor& qkv)>;
  at::Tensor run_blocks(at::Tensor x, const Attention& attention, std::vector<at::Tensor>* blocks) const;
  at::Tensor attention_mask(const Gpt2Cache& cache, int64_t new_positions) const;
  at::Tensor positions(const Gpt2Cache& cache, int64_t new_positions) const;

  Gpt2Config config_;
  at::ScalarType precision_ = at::kFloat;
  at::Tensor token_embedding_;     // [V,E]
  at::Tensor position_embedding_;  // [n_positions,E]
  std::vector<Layer> layers_;
  at::Tensor ln_f_weight_, ln_f_bias_;  // [E]
  Linear head_;
};

}  // namespace patchioner
