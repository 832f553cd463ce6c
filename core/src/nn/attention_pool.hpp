// The attention pool at the end of CLIP's ResNets (spec/02 section 7.2): the cells of the last map and their
// mean look at one another, and what comes out lies in the space of texts.
#pragma once

#include <ATen/ATen.h>

#include "nn/linear.hpp"
#include "nn/position_table.hpp"
#include "nn/weights.hpp"

namespace patchioner {

/// What a pool looks like.
struct AttentionPoolConfig {
  int64_t width = 0;  ///< E, channels of the map
  int64_t heads = 0;
  int64_t position_rows = 0;  ///< of the position table: 1 + M*M
  int64_t dim = 0;            ///< D, the width of the shared space
  PositionRule position_rule = PositionRule::bilinear;
};

/// Which rows a pass of the pool gives.
enum class PooledRows {
  mean,  ///< that of the mean alone, as CLIP and RegionCLIP pool an image or a region
  all,   ///< every cell's too
};

/// Names are "positional_embedding", "q_proj.weight" ... "c_proj.bias". Products run in `precision`, results
/// are float32. For inference only. [any-thread]
class AttentionPool {
 public:
  AttentionPool(const AttentionPoolConfig& config, const WeightSource& source,
                at::ScalarType precision = at::kFloat);

  /// A map [B,E,rows,columns], G = rows * columns, -> [B,1+G,D] (the mean's row, then the cells row by row)
  /// or [B,1,D]; nothing is L2-normalised. When `logits` is given, it receives the mean query's logits over
  /// the cells [B,H,G], divided by the root of a head's width.
  at::Tensor pool(const at::Tensor& map, PooledRows rows, at::Tensor* logits = nullptr) const;

  /// The output projection of each cell as it is, without positions and attention: [B,G,D].
  at::Tensor project_cells(const at::Tensor& map) const;

  /// The position table at a grid: [1+rows*columns, E].
  at::Tensor positions(int64_t rows, int64_t columns) const;

  const AttentionPoolConfig& config() const { return config_; }

 private:
  at::Tensor heads_of(const at::Tensor& tokens) const;

  AttentionPoolConfig config_;
  PositionTable positions_;  // of 1+M*M rows of width E
  Linear query_;             // E -> E
  Linear key_value_;         // E -> 2*E
  Linear output_;            // E -> D
};

}  // namespace patchioner
