// Learned position tables at another grid than the one they were learned on (spec/02 section 1.1, spec/03
// section 1.3).
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

namespace patchioner {

/// How a table is resampled. All but `bicubic_offset` go by output size (scale = in/out); corners are never
/// aligned.
enum class PositionRule {
  bicubic_aa,      ///< antialiased, a = -0.5: timm, open_clip, DINOv2 with registers
  bicubic,         ///< plain, a = -0.75: INViTE, transformers
  bilinear,        ///< plain: DenseCLIP, RegionCLIP
  bicubic_offset,  ///< plain bicubic with the scale (n + 0.1) / M instead of n / M: DINO, DINOv2 without
                   ///< registers
  bicubic_offset_by_count,  ///< the same, but a grid of as many cells as the table has rows takes it
                            ///< untouched, whatever its shape: ProxyCLIP's CLIP (spec/03 section 5)
};

/// "bicubic_aa", "bicubic", "bilinear", "bicubic_offset", "bicubic_offset_by_count"; any other name throws an
/// Error of kind config.
PositionRule position_rule_from(std::string_view name);
std::string_view to_string(PositionRule rule);

/// A table [1+M*M, W], whose row 0 belongs to the class token, at a grid of rows x columns: [1+rows*columns,
/// W], float32. Row 0 is kept as it is; a grid of M x M gives the table back untouched (a grid of as many
/// cells in another shape does not). `square_pixels`: the input is as high as it is wide; of one that is not,
/// and whose rest beside whole patches is cut off, `bicubic_offset` resamples the table even to a grid of
/// M x M. Differentiable. Throws an Error of kind checkpoint when the table has no square number of patch
/// rows.
at::Tensor resample_positions(const at::Tensor& table, int64_t rows, int64_t columns, PositionRule rule,
                              bool square_pixels = true);

/// A table with its rule, which keeps what it was resampled to for grids that come again, unless the table is
/// being trained. Cheap to copy; copies share what is kept. [any-thread]
class PositionTable {
 public:
  PositionTable() = default;
  /// [1+M*M,W] or [1,1+M*M,W]
  PositionTable(at::Tensor table, PositionRule rule);

  /// resample_positions of it. What comes back is kept, and must not be written into. Throws what that
  /// throws.
  at::Tensor at(int64_t rows, int64_t columns, bool square_pixels = true) const;

 private:
  struct Kept {
    std::mutex mutex;
    std::map<std::tuple<int64_t, int64_t, bool>, at::Tensor> tables;
  };
  at::Tensor table_;
  PositionRule rule_ = PositionRule::bicubic_aa;
  std::shared_ptr<Kept> kept_;
};

/// M of a table with 1+M*M rows; errors as above. `table` is what a message calls it.
int64_t position_grid(int64_t table_rows, std::string_view table = "the position table");

}  // namespace patchioner
