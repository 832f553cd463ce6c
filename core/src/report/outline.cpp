#include "report/outline.hpp"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "geometry/grid_area.hpp"

namespace patchioner {
namespace {

// Contours of masks lose corners closer than this many pixels to the line; a drawn outline needs no more.
constexpr double kContourTolerance = 0.7;

// Saturated, far apart, and bright enough to be seen on photographs: chosen by eye on dark and light images.
constexpr std::array<std::array<uint8_t, 3>, 10> kColours = {{{255, 107, 53},
                                                              {31, 181, 255},
                                                              {43, 217, 124},
                                                              {255, 210, 63},
                                                              {232, 79, 211},
                                                              {124, 108, 255},
                                                              {255, 59, 92},
                                                              {23, 209, 196},
                                                              {176, 224, 48},
                                                              {255, 158, 187}}};

std::vector<OutlinePoint> corners(double x, double y, double width, double height) {
  return {{x, y}, {x + width, y}, {x + width, y + height}, {x, y + height}};
}

std::vector<std::vector<OutlinePoint>> contours(const at::Tensor& mask) {
  const at::Tensor bytes = mask.to(at::kByte).contiguous();  // [H,W]
  const auto height = static_cast<int>(bytes.size(0));
  const auto width = static_cast<int>(bytes.size(1));
  const cv::Mat view(height, width, CV_8U, bytes.data_ptr());
  std::vector<std::vector<cv::Point>> found;
  cv::findContours(view.clone(), found, cv::RETR_CCOMP, cv::CHAIN_APPROX_SIMPLE);
  std::vector<std::vector<OutlinePoint>> polygons;
  for (const std::vector<cv::Point>& contour : found) {
    std::vector<cv::Point> simple;
    cv::approxPolyDP(contour, simple, kContourTolerance, true);
    std::vector<OutlinePoint> polygon;
    for (const cv::Point& point : simple) {
      polygon.push_back({point.x + 0.5, point.y + 0.5});  // pixel centres
    }
    polygons.push_back(std::move(polygon));
  }
  return polygons;
}

OutlinePoint first_point(const Outline& outline) {
  const auto top_left = [](const std::vector<OutlinePoint>& points) {
    return *std::min_element(points.begin(), points.end(), [](const auto& left, const auto& right) {
      return left.x + left.y < right.x + right.y;
    });
  };
  if (!outline.polygons.empty() && !outline.polygons.front().empty()) {
    return top_left(outline.polygons.front());
  }
  if (!outline.dots.empty()) {
    return outline.dots.front();
  }
  return {0, 0};
}

void outline_box(const Box& box, Outline& outline) {
  outline.polygons.push_back(corners(box.x, box.y, box.width, box.height));
}

}  // namespace

Outline outline_of(const RegionShape& shape, const ImageGeometry& geometry) {
  const auto image_width = static_cast<double>(geometry.image_width);
  const auto image_height = static_cast<double>(geometry.image_height);
  Outline outline;
  if (std::holds_alternative<WholeImage>(shape)) {
    outline.polygons.push_back(corners(0, 0, image_width, image_height));
  } else if (const auto* box = std::get_if<Box>(&shape)) {
    outline_box(*box, outline);
  } else if (const auto* set = std::get_if<BoxSet>(&shape)) {
    for (const Box& one : set->boxes) {
      outline_box(one, outline);
    }
  } else if (const auto* trace = std::get_if<Trace>(&shape)) {
    std::vector<OutlinePoint> line;
    for (const TracePoint& point : trace->points) {
      line.push_back({point.x * image_width, point.y * image_height});
    }
    if (!line.empty()) {
      outline.dots.push_back(line.front());
      outline.polylines.push_back(std::move(line));
    }
  } else if (const auto* mask = std::get_if<Mask>(&shape)) {
    if (mask->pixels.defined() && mask->pixels.dim() == 2 && mask->pixels.numel() > 0) {
      outline.polygons = contours(mask->pixels);
    }
  } else if (const auto* patch = std::get_if<Patch>(&shape); patch != nullptr && geometry.patches() > 0) {
    const Box cell = cell_area(geometry, patch->row, patch->column);
    outline.polygons.push_back(corners(cell.x, cell.y, cell.width, cell.height));
  } else if (const auto* point = std::get_if<ImagePoint>(&shape)) {
    outline.dots.push_back({point->x, point->y});
  }
  outline.anchor = first_point(outline);
  outline.anchor.x = std::clamp(outline.anchor.x, 0.0, image_width);
  outline.anchor.y = std::clamp(outline.anchor.y, 0.0, image_height);
  return outline;
}

std::vector<OutlinePoint> place_numbers(const std::vector<Outline>& outlines, double radius, double width,
                                        double height) {
  const auto inside = [radius](double value, double side) {
    return std::clamp(value, radius, std::max(radius, side - radius));
  };
  std::vector<OutlinePoint> placed;
  for (const Outline& outline : outlines) {
    OutlinePoint place{inside(outline.anchor.x, width), inside(outline.anchor.y, height)};
    // Along the row, then from the start of the next one; an image that is full of numbers lets them overlap.
    const auto covers = [&](const OutlinePoint& other) {
      return std::hypot(other.x - place.x, other.y - place.y) < 2 * radius;
    };
    for (size_t tries = 0; tries < outlines.size() && std::any_of(placed.begin(), placed.end(), covers);
         ++tries) {
      place.x += 2.2 * radius;
      if (place.x > width - radius) {
        place.x = radius;
        place.y = inside(place.y + 2.2 * radius, height);
      }
    }
    placed.push_back(place);
  }
  return placed;
}

std::array<uint8_t, 3> region_colour(size_t index) {
  return kColours[index % kColours.size()];
}

std::string region_colour_hex(size_t index) {
  const auto [red, green, blue] = region_colour(index);
  return fmt::format("#{:02x}{:02x}{:02x}", red, green, blue);
}

}  // namespace patchioner
