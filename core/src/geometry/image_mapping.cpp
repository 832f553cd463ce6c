#include "geometry/image_mapping.hpp"

#include <algorithm>
#include <cmath>

namespace patchioner {
namespace {

AxisMapping squash_axis(const ImageSpec& spec, int64_t image) {
  AxisMapping axis;
  axis.input_size = static_cast<double>(spec.input_size());
  axis.numerator = static_cast<double>(spec.resize_dim);
  axis.denominator = static_cast<double>(image);
  axis.scale = axis.numerator / axis.denominator;
  return axis;
}

/// `scale` is given, since the reference computes that of the longer axis with one rounding more.
AxisMapping crop_axis(const ImageSpec& spec, int64_t image, int64_t shorter, double scale) {
  AxisMapping axis;
  axis.scale = scale;
  axis.input_size = static_cast<double>(spec.input_size());
  axis.numerator = static_cast<double>(spec.resize_dim);
  axis.denominator = static_cast<double>(shorter);
  // Rounded down, where the crop of the pixels itself rounds half to even: the reference's own inconsistency.
  const double resized = std::trunc(static_cast<double>(image) * scale);
  axis.offset = std::max(0.0, std::floor((resized - axis.input_size) / 2.0));
  return axis;
}

}  // namespace

ImageMapping mapping_of(const ImageGeometry& geometry) {
  const ImageSpec& spec = geometry.spec;
  const int64_t width = geometry.image_width;
  const int64_t height = geometry.image_height;
  if (!spec.keep_img_ratio) {
    return {squash_axis(spec, width), squash_axis(spec, height)};
  }
  const auto resize = static_cast<double>(spec.resize_dim);
  const int64_t shorter = std::min(width, height);
  const double short_scale = resize / static_cast<double>(shorter);
  const auto long_scale = [&](int64_t side) {
    return resize * static_cast<double>(side) / static_cast<double>(shorter) / static_cast<double>(side);
  };
  const bool portrait = width < height;
  return {crop_axis(spec, width, shorter, portrait ? short_scale : long_scale(width)),
          crop_axis(spec, height, shorter, portrait ? long_scale(height) : short_scale)};
}

}  // namespace patchioner
