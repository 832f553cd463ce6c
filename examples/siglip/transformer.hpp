// The blocks of SigLIP's two towers, and how they are read from a checkpoint with Hugging Face's names.
// B images or texts, T tokens, W the width of a tower, H its heads.
#pragma once

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <patchioner/error.hpp>
#include <patchioner/weights.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace siglip {

struct Linear {
  at::Tensor weight;  ///< [out,in]
  at::Tensor bias;    ///< [out]
  at::Tensor operator()(const at::Tensor& x) const { return at::linear(x, weight, bias); }
};

struct Norm {
  static constexpr double kEpsilon = 1e-6;  // layer_norm_eps of every published config.json
  at::Tensor weight, bias;                  ///< [W]
  at::Tensor operator()(const at::Tensor& x) const {
    return at::layer_norm(x, weight.sizes(), weight, bias, kEpsilon);
  }
};

struct Mlp {
  Linear fc1, fc2;
  at::Tensor operator()(const at::Tensor& x) const { return fc2(at::gelu(fc1(x), "tanh")); }
};

/// [B,T,W] -> [B,H,T,W/H]
inline at::Tensor split_heads(const at::Tensor& x, int64_t heads) {
  return x.unflatten(2, {heads, -1}).transpose(1, 2);
}

/// The values [B,T,W] that `query` [B,Q,W] attends to: [B,Q,W].
inline at::Tensor attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                         int64_t heads) {
  return at::scaled_dot_product_attention(split_heads(query, heads), split_heads(key, heads),
                                          split_heads(value, heads))
      .transpose(1, 2)
      .flatten(2);
}

struct Block {
  Norm norm1, norm2;
  Linear query, key, value, out;
  Mlp mlp;

  at::Tensor operator()(const at::Tensor& tokens, int64_t heads) const {
    const at::Tensor x = norm1(tokens);  // [B,T,W]
    const at::Tensor attended = tokens + out(attend(query(x), key(x), value(x), heads));
    return attended + mlp(norm2(attended));
  }
};

/// Reads parts of one tower, as numbers of `options` (type and device).
struct Reader {
  patchioner::Weights& weights;
  const std::string& file;  ///< that they come from, for messages
  at::TensorOptions options;
  int64_t width = 0;  ///< W, once it is known

  /// The shape of a tensor by which others are measured, before any is read. `axes` says it in letters,
  /// "[W,3,P,P]"; one with another number of axes, or with nothing in it, is an Error of kind checkpoint.
  std::vector<int64_t> shape(const std::string& name, std::string_view axes) const {
    std::vector<int64_t> shape = weights.shape(name);
    const auto count = 1 + std::count(axes.begin(), axes.end(), ',');
    if (std::ssize(shape) != count || *std::min_element(shape.begin(), shape.end()) < 1) {
      throw patchioner::Error(patchioner::ErrorKind::checkpoint,
                              "{}: '{}' is [{}]; SigLIP has {} there, none of them 0", file, name,
                              fmt::join(shape, ","), axes);
    }
    return shape;
  }

  at::Tensor tensor(const std::string& name, const std::vector<int64_t>& shape) const {
    return weights.get(name, shape).to(options);
  }
  Linear linear(const std::string& name, int64_t out, int64_t in) const {
    return {tensor(name + ".weight", {out, in}), tensor(name + ".bias", {out})};
  }
  Norm norm(const std::string& name) const {
    return {tensor(name + ".weight", {width}), tensor(name + ".bias", {width})};
  }
  Mlp mlp(const std::string& name) const {
    const int64_t inner = shape(name + ".fc1.weight", "[I,W]")[0];
    return {linear(name + ".fc1", inner, width), linear(name + ".fc2", width, inner)};
  }
  Block block(const std::string& name) const {
    const auto projection = [&](const char* which) {
      return linear(name + ".self_attn." + which, width, width);
    };
    return {norm(name + ".layer_norm1"), norm(name + ".layer_norm2"), projection("q_proj"),
            projection("k_proj"),        projection("v_proj"),        projection("out_proj"),
            mlp(name + ".mlp")};
  }
  /// As many blocks as there are.
  std::vector<Block> blocks(const std::string& name) const {
    std::vector<Block> blocks;
    const auto next = [&] { return name + "." + std::to_string(blocks.size()); };
    while (weights.contains(next() + ".layer_norm1.weight")) {
      blocks.push_back(block(next()));
    }
    return blocks;
  }
};

}  // namespace siglip
