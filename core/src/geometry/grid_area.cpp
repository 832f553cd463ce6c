#include "geometry/grid_area.hpp"

namespace patchioner {

Box grid_area(const ImageGeometry& geometry) {
  const auto width = static_cast<double>(geometry.image_width);
  const auto height = static_cast<double>(geometry.image_height);
  const ImageSpec& spec = geometry.spec;
  if (!spec.keep_img_ratio || spec.resize_dim <= 0) {
    return {0, 0, width, height};
  }
  const double scale = static_cast<double>(spec.resize_dim) / std::min(width, height);
  const auto axis = [&](double side, double& start, double& length) {
    const double margin = std::trunc(side * scale) - static_cast<double>(spec.crop_dim);
    start = std::floor(margin / 2) / scale;  // negative where the crop is padded
    length = static_cast<double>(spec.crop_dim) / scale;
  };
  Box area;
  axis(width, area.x, area.width);
  axis(height, area.y, area.height);
  return area;
}

Box cell_area(const ImageGeometry& geometry, int64_t row, int64_t column) {
  const Box area = grid_area(geometry);
  const double width = area.width / static_cast<double>(std::max<int64_t>(geometry.columns, 1));
  const double height = area.height / static_cast<double>(std::max<int64_t>(geometry.rows, 1));
  return {area.x + static_cast<double>(column) * width, area.y + static_cast<double>(row) * height, width,
          height};
}

}  // namespace patchioner
