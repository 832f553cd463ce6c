#include "geometry/box_patches.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "geometry/image_mapping.hpp"
#include "geometry/region_check.hpp"

namespace patchioner {
namespace {

/// First and last patch along one axis, both included.
struct Span {
  int64_t first = 0;
  int64_t last = 0;
};

/// Division rounded down as PyTorch's floor_divide does it on float32, and kept within what adds up without
/// overflow.
int64_t floor_divide(float value, int64_t divisor_integer) {
  if (std::isinf(value)) {  // a number in double precision that float32 has no room for
    value = std::copysign(std::numeric_limits<float>::max(), value);
  }
  const auto divisor = static_cast<float>(divisor_integer);
  const float remainder = std::fmod(value, divisor);
  float quotient = (value - remainder) / divisor;
  if (remainder != 0 && (remainder < 0) != (divisor < 0)) {
    quotient -= 1;
  }
  float rounded = std::floor(quotient);
  if (quotient - rounded > 0.5F) {
    rounded += 1;
  }
  constexpr float kFarthest = 1e15F;
  return static_cast<int64_t>(std::clamp(rounded, -kFarthest, kFarthest));
}

Span span_of(float start, float length, int64_t patch_size, BoxRule rule) {
  const int64_t first = floor_divide(start, patch_size);
  if (rule == BoxRule::reference) {
    return {first, first + floor_divide(length, patch_size)};
  }
  constexpr double kFarthest = 1e15;
  const double end =
      (static_cast<double>(start) + static_cast<double>(length)) / static_cast<double>(patch_size);
  const auto last = static_cast<int64_t>(std::clamp(std::ceil(end) - 1, -kFarthest, kFarthest));
  return {first, std::max(first, last)};
}

/// The patches [begin,end) that Python's `grid[first : last + 1]` gives.
std::pair<int64_t, int64_t> python_slice(const Span& span, int64_t size) {
  const auto end_of = [size](int64_t index) {
    return std::clamp<int64_t>(index < 0 ? index + size : index, 0, size);
  };
  const int64_t begin = end_of(span.first);
  return {begin, std::max(begin, end_of(span.last + 1))};
}

std::pair<int64_t, int64_t> cut(const Span& span, int64_t size, BoxRule rule, EmptyRegion empty) {
  if (empty == EmptyRegion::nearest) {
    return {std::clamp<int64_t>(span.first, 0, size - 1), std::clamp<int64_t>(span.last, 0, size - 1) + 1};
  }
  if (rule == BoxRule::reference) {
    return python_slice(span, size);
  }
  const int64_t begin = std::clamp<int64_t>(span.first, 0, size);
  return {begin, std::max(begin, std::clamp<int64_t>(span.last + 1, 0, size))};
}

}  // namespace

InputBox to_input_box(const Box& box, const ImageGeometry& geometry) {
  check_box(box);
  const ImageMapping map = mapping_of(geometry);
  double x = map.x.to_input(box.x);
  double y = map.y.to_input(box.y);
  double width = box.width * map.x.scale;
  double height = box.height * map.y.scale;
  if (geometry.spec.keep_img_ratio) {
    // A box that is cut at the left keeps its full width: so does the reference.
    const double size = map.x.input_size;
    x = std::clamp(x, 0.0, size - 1);
    y = std::clamp(y, 0.0, size - 1);
    width = std::clamp(width, 0.0, size - x);
    height = std::clamp(height, 0.0, size - y);
  }
  return {static_cast<float>(x), static_cast<float>(y), static_cast<float>(width),
          static_cast<float>(height)};
}

std::array<int64_t, 4> patch_indices(const InputBox& box, int64_t patch_size) {
  return {floor_divide(box.x, patch_size), floor_divide(box.y, patch_size),
          floor_divide(box.width, patch_size), floor_divide(box.height, patch_size)};
}

PatchRange patches_of_box(const InputBox& box, const ImageGeometry& geometry, BoxRule rule,
                          EmptyRegion empty) {
  const int64_t patch_size = geometry.spec.patch_size;
  const auto [row_begin, row_end] =
      cut(span_of(box.y, box.height, patch_size, rule), geometry.rows, rule, empty);
  const auto [column_begin, column_end] =
      cut(span_of(box.x, box.width, patch_size, rule), geometry.columns, rule, empty);
  return {row_begin, row_end, column_begin, column_end};
}

bool box_is_visible(const Box& box, const ImageGeometry& geometry) {
  const ImageMapping map = mapping_of(geometry);
  const auto overlaps = [&](const AxisMapping& axis, double start, double length, int64_t cells) {
    const double begin = axis.to_input(start);
    const double end = begin + length * axis.scale;
    const auto grid_end = static_cast<double>(cells * geometry.spec.patch_size);
    return begin < grid_end && (length > 0 ? end > 0 : begin >= 0);
  };
  return overlaps(map.x, box.x, box.width, geometry.columns) &&
         overlaps(map.y, box.y, box.height, geometry.rows);
}

}  // namespace patchioner
