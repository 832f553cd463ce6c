#include "nn/attention_pool.hpp"

#include <cmath>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

/// The cells of a map [B,E,rows,columns] row by row: [B,G,E] float32.
at::Tensor cells_of(const at::Tensor& map) {
  return map.to(at::kFloat).permute({0, 2, 3, 1}).flatten(1, 2);
}

}  // namespace

AttentionPool::AttentionPool(const AttentionPoolConfig& config, const WeightSource& source,
                             at::ScalarType precision)
    : config_(config) {
  const int64_t width = config.width;
  if (config.heads < 1 || width % config.heads != 0) {
    throw Error(ErrorKind::config, "an attention pool of width {} cannot be cut into {} heads", width,
                config.heads);
  }
  positions_ =
      PositionTable(source("positional_embedding", {config.position_rows, width}), config.position_rule);
  const auto weight = [&](const char* name) { return source(std::string(name) + ".weight", {width, width}); };
  const auto bias = [&](const char* name) { return source(std::string(name) + ".bias", {width}); };
  query_ = Linear(weight("q_proj"), bias("q_proj"), precision);
  key_value_ = Linear(at::cat({weight("k_proj"), weight("v_proj")}),
                      at::cat({bias("k_proj"), bias("v_proj")}), precision);
  output_ =
      Linear(source("c_proj.weight", {config.dim, width}), source("c_proj.bias", {config.dim}), precision);
}

at::Tensor AttentionPool::heads_of(const at::Tensor& tokens) const {
  return tokens.view({tokens.size(0), tokens.size(1), config_.heads, config_.width / config_.heads})
      .transpose(1, 2);  // [B,H,T,d]
}

at::Tensor AttentionPool::pool(const at::Tensor& map, PooledRows rows, at::Tensor* logits) const {
  const at::Tensor cells = cells_of(map);                             // [B,G,E]
  const at::Tensor tokens = at::cat({cells.mean(1, true), cells}, 1)  // [B,1+G,E]
                                .add_(positions(map.size(2), map.size(3)));
  const at::Tensor asking = rows == PooledRows::all ? tokens : tokens.slice(1, 0, 1);  // [B,T,E]
  const at::Tensor queries = heads_of(query_.forward(asking));                         // [B,H,T,d]
  const std::vector<at::Tensor> parts = key_value_.forward(tokens).split(config_.width, 2);
  const at::Tensor keys = heads_of(parts[0]);    // [B,H,1+G,d]
  const at::Tensor values = heads_of(parts[1]);  // [B,H,1+G,d]
  if (logits != nullptr) {
    const double scale = 1.0 / std::sqrt(static_cast<double>(keys.size(3)));
    const at::Tensor query = queries.select(2, 0).unsqueeze(-1) * scale;  // [B,H,d,1]
    *logits = at::matmul(keys.slice(2, 1), query).squeeze(-1);            // [B,H,G]
  }
  const at::Tensor mixed = at::scaled_dot_product_attention(queries, keys, values);  // [B,H,T,d]
  return output_.forward(mixed.transpose(1, 2).flatten(2));                          // [B,T,D]
}

at::Tensor AttentionPool::project_cells(const at::Tensor& map) const {
  return output_.forward(cells_of(map));  // [B,G,D]
}

at::Tensor AttentionPool::positions(int64_t rows, int64_t columns) const {
  return positions_.at(rows, columns);
}

}  // namespace patchioner
