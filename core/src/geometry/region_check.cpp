#include "geometry/region_check.hpp"

#include <cmath>
#include <patchioner/error.hpp>

namespace patchioner {

std::string text_of(const Box& box) {
  return fmt::format("{:g},{:g},{:g},{:g}", box.x, box.y, box.width, box.height);
}

void check_box(const Box& box) {
  if (!std::isfinite(box.x) || !std::isfinite(box.y) || !std::isfinite(box.width) ||
      !std::isfinite(box.height)) {
    throw Error(ErrorKind::data,
                "the box {} holds a number that is not finite; give x,y,width,height in pixels",
                text_of(box));
  }
  if (box.width < 0 || box.height < 0) {
    throw Error(ErrorKind::data,
                "the box {} is inverted: its width or height is negative; give x,y of the top left corner, "
                "width, height (not two corners)",
                text_of(box));
  }
}

void check_mask(const Mask& mask, const ImageGeometry& geometry) {
  if (!mask.pixels.defined() || mask.pixels.dim() != 2) {
    throw Error(ErrorKind::data, "the mask is not a picture of rows and columns");
  }
  if (mask.pixels.size(0) != geometry.image_height || mask.pixels.size(1) != geometry.image_width) {
    throw Error(ErrorKind::data,
                "the mask has {}x{} pixels and the image {}x{}; a mask has the size of its image",
                mask.pixels.size(1), mask.pixels.size(0), geometry.image_width, geometry.image_height);
  }
}

void check_patch(const Patch& patch, const ImageGeometry& geometry) {
  if (patch.row < 0 || patch.row >= geometry.rows || patch.column < 0 || patch.column >= geometry.columns) {
    throw Error(ErrorKind::data,
                "patch {},{} lies outside the grid of {} rows and {} columns; they count from 0", patch.row,
                patch.column, geometry.rows, geometry.columns);
  }
}

void check_region(const RegionShape& shape, const ImageGeometry& geometry) {
  if (const auto* box = std::get_if<Box>(&shape)) {
    check_box(*box);
  } else if (const auto* set = std::get_if<BoxSet>(&shape)) {
    for (const Box& one : set->boxes) {
      check_box(one);
    }
  } else if (const auto* trace = std::get_if<Trace>(&shape)) {
    for (size_t i = 0; i < trace->points.size(); ++i) {
      if (!std::isfinite(trace->points[i].x) || !std::isfinite(trace->points[i].y)) {
        throw Error(ErrorKind::data, "point {} of the trace is not finite; give x,y between 0 and 1", i + 1);
      }
    }
  } else if (const auto* mask = std::get_if<Mask>(&shape)) {
    check_mask(*mask, geometry);
  } else if (const auto* patch = std::get_if<Patch>(&shape)) {
    check_patch(*patch, geometry);
  } else if (const auto* point = std::get_if<ImagePoint>(&shape)) {
    if (!std::isfinite(point->x) || !std::isfinite(point->y)) {
      throw Error(ErrorKind::data, "the point {:g},{:g} is not finite; give x,y in pixels", point->x,
                  point->y);
    }
  }
}

}  // namespace patchioner
