#include "nn/position_table.hpp"

#include <array>
#include <cmath>
#include <patchioner/error.hpp>
#include <utility>
#include <vector>

#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

// DINO's and DINOv2's guard against a floor that comes out one too small; it shifts every sample (spec/03
// section 1.3).
constexpr double kScaleOffset = 0.1;

// When there would be more, all are forgotten; grids vary only when a caller sends odd sizes.
constexpr size_t kMostKept = 32;

constexpr std::array<std::pair<PositionRule, std::string_view>, 5> kNames = {{
    {PositionRule::bicubic_aa, "bicubic_aa"},
    {PositionRule::bicubic, "bicubic"},
    {PositionRule::bilinear, "bilinear"},
    {PositionRule::bicubic_offset, "bicubic_offset"},
    {PositionRule::bicubic_offset_by_count, "bicubic_offset_by_count"},
}};

}  // namespace

PositionRule position_rule_from(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& [rule, text] : kNames) {
    if (name == text) {
      return rule;
    }
    known.emplace_back(text);
  }
  throw Error(ErrorKind::config, "'{}' is no way to resample a position table{}", name,
              suggestion(name, known));
}

std::string_view to_string(PositionRule rule) {
  for (const auto& [known, text] : kNames) {
    if (known == rule) {
      return text;
    }
  }
  return "unknown";
}

int64_t position_grid(int64_t table_rows, std::string_view table) {
  const auto side = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(table_rows - 1))));
  if (table_rows < 2 || side * side != table_rows - 1) {
    throw Error(ErrorKind::checkpoint,
                "{} has {} rows; expected one for the class token and a square number for the patches", table,
                table_rows);
  }
  return side;
}

at::Tensor resample_positions(const at::Tensor& table, int64_t rows, int64_t columns, PositionRule rule,
                              bool square_pixels) {
  const int64_t side = position_grid(table.size(0));
  const bool same_count = rule == PositionRule::bicubic_offset_by_count && rows * columns == side * side;
  const bool native =
      rows == side && columns == side && (square_pixels || rule != PositionRule::bicubic_offset);
  if (same_count || native) {
    return table;
  }
  // On the processor, whose kernels take any sizes, and give the same on every machine.
  const at::Tensor grid = table.slice(0, 1)
                              .to(at::kCPU, at::kFloat)
                              .reshape({1, side, side, table.size(1)})
                              .permute({0, 3, 1, 2})
                              .contiguous();  // [1,W,M,M]
  const std::array<int64_t, 2> size{rows, columns};
  at::Tensor resampled;  // [1,W,rows,columns]
  switch (rule) {
    case PositionRule::bicubic_aa:
      resampled = at::_upsample_bicubic2d_aa(grid, size, false);
      break;
    case PositionRule::bicubic:
      resampled = at::upsample_bicubic2d(grid, size, false);
      break;
    case PositionRule::bilinear:
      resampled = at::upsample_bilinear2d(grid, size, false);
      break;
    case PositionRule::bicubic_offset:
    case PositionRule::bicubic_offset_by_count:
      resampled = at::upsample_bicubic2d(
          grid, size, false, (static_cast<double>(rows) + kScaleOffset) / static_cast<double>(side),
          (static_cast<double>(columns) + kScaleOffset) / static_cast<double>(side));
      break;
  }
  const at::Tensor patches =
      resampled.permute({0, 2, 3, 1}).reshape({rows * columns, table.size(1)}).to(table.device());  // [G,W]
  return at::cat({table.slice(0, 0, 1).to(at::kFloat), patches});                                   // [1+G,W]
}

PositionTable::PositionTable(at::Tensor table, PositionRule rule)
    : table_(std::move(table)), rule_(rule), kept_(std::make_shared<Kept>()) {}

at::Tensor PositionTable::at(int64_t rows, int64_t columns, bool square_pixels) const {
  const at::Tensor table = table_.reshape({-1, table_.size(-1)});  // [1+M*M,W]
  if (table_.requires_grad()) {  // of which a view without gradients says nothing
    return resample_positions(table, rows, columns, rule_, square_pixels);
  }
  const std::lock_guard lock(kept_->mutex);
  const std::tuple<int64_t, int64_t, bool> key{rows, columns, square_pixels};
  if (const auto found = kept_->tables.find(key); found != kept_->tables.end()) {
    return found->second;
  }
  if (kept_->tables.size() >= kMostKept) {
    kept_->tables.clear();
  }
  return kept_->tables[key] = resample_positions(table, rows, columns, rule_, square_pixels);
}

}  // namespace patchioner
