#include "geometry/region_cover.hpp"

#include <algorithm>
#include <cmath>
#include <variant>

#include "geometry/box_patches.hpp"
#include "geometry/region_check.hpp"
#include "geometry/trace_cells.hpp"

namespace patchioner {
namespace {

/// The cell that a coordinate lies in, within 0 and `most`; numbers too large for float32 come as infinity or
/// not a number.
int64_t cell_at(double value, int64_t cell, int64_t most) {
  const double whole = std::floor(value / static_cast<double>(cell));
  return whole > 0 ? static_cast<int64_t>(std::min(whole, static_cast<double>(most))) : 0;
}

/// Cells [begin,end) of one axis; the sum is rounded to float32 as the reference's tensors round it.
std::pair<int64_t, int64_t> covered_span(float start, float length, int64_t cell, int64_t cells) {
  const float end = start + length;
  return {cell_at(start, cell, cells - 1), cell_at(end, cell, cells)};
}

/// On any grid: `geometry` says what its cells are, `patch_cells` how many of them a side of a patch has.
class Cover {
 public:
  Cover(const ImageGeometry& geometry, int64_t patch_cells, MaskRule rule)
      : geometry_(geometry), patch_cells_(patch_cells), rule_(rule) {}

  CellGrid operator()(const WholeImage&) const {
    CellGrid cells(geometry_);
    fill(cells.whole(), cells);
    return cells;
  }

  CellGrid operator()(const Box& box) const {
    CellGrid cells(geometry_);
    fill(range_of(box), cells);
    return cells;
  }

  CellGrid operator()(const BoxSet& set) const {
    CellGrid cells(geometry_);
    for (const Box& box : set.boxes) {
      fill(range_of(box), cells);
    }
    return cells;
  }

  CellGrid operator()(const Trace& trace) const { return points(trace.points); }

  CellGrid operator()(const ImagePoint& point) const {
    const TracePoint relative = to_trace_point(point, geometry_);
    return points({&relative, 1});
  }

  CellGrid operator()(const Mask& mask) const { return mask_cells(mask, geometry_, rule_); }

  CellGrid operator()(const Patch& patch) const {
    CellGrid cells(geometry_);
    const int64_t row = patch.row * patch_cells_;
    const int64_t column = patch.column * patch_cells_;
    fill({row, row + patch_cells_, column, column + patch_cells_}, cells);
    return cells;
  }

 private:
  PatchRange range_of(const Box& box) const {
    const InputBox input = to_input_box(box, geometry_);
    const int64_t cell = geometry_.spec.patch_size;
    const auto [left, right] = covered_span(input.x, input.width, cell, geometry_.columns);
    const auto [top, bottom] = covered_span(input.y, input.height, cell, geometry_.rows);
    return {top, bottom, left, right};
  }

  CellGrid points(std::span<const TracePoint> trace) const {
    CellGrid cells = trace_counts(trace, geometry_, TraceGeometry::mapped);
    for (double& value : cells.values) {
      value = value > 0 ? 1 : 0;
    }
    return cells;
  }

  static void fill(const PatchRange& range, CellGrid& cells) {
    for (int64_t row = range.row_begin; row < range.row_end; ++row) {
      for (int64_t column = range.column_begin; column < range.column_end; ++column) {
        cells.at(row, column) = 1;
      }
    }
  }

  const ImageGeometry& geometry_;
  int64_t patch_cells_;
  MaskRule rule_;
};

/// The same image with the pixels of the network input as its cells.
ImageGeometry pixel_geometry(const ImageGeometry& geometry) {
  ImageGeometry pixels = geometry;
  pixels.spec.patch_size = 1;
  pixels.rows = pixels.columns = geometry.spec.input_size();
  return pixels;
}

}  // namespace

CellGrid covered_pixels(const RegionShape& shape, const ImageGeometry& geometry, MaskRule rule) {
  check_region(shape, geometry);
  const ImageGeometry pixels = pixel_geometry(geometry);
  return std::visit(Cover(pixels, geometry.spec.patch_size, rule), shape);
}

CellGrid covered_patches(const RegionShape& shape, const ImageGeometry& geometry, MaskRule rule) {
  check_region(shape, geometry);
  return std::visit(Cover(geometry, 1, rule), shape);
}

Patch patch_under(const Box& box, const ImageGeometry& geometry) {
  const InputBox input = to_input_box(box, geometry);
  const auto under = [&geometry](float start, float length, int64_t cells) {
    const double centre = static_cast<double>(start) + static_cast<double>(length) / 2;
    return cell_at(centre, geometry.spec.patch_size, cells - 1);
  };
  return {under(input.y, input.height, geometry.rows), under(input.x, input.width, geometry.columns)};
}

}  // namespace patchioner
