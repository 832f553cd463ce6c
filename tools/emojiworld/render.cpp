#include "render.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace patchioner::emoji {
namespace {

constexpr int kInk = 127;  // alpha above which a pixel belongs to a thing

bool casts_shadow(const Scene& scene, const Placed& placed) {
  return is_ground(scene.surface) && scene.surface != Surface::water && !placed.aloft;
}

/// A strip of the picture (rows top..bottom) filled from a texture.
void fill(cv::Mat& rgb, int top, int bottom, const cv::Mat& texture, const cv::Matx23d& picture_to_texture) {
  if (bottom <= top) {
    return;
  }
  cv::Mat strip = rgb.rowRange(top, bottom);
  cv::warpAffine(texture, strip, picture_to_texture, strip.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                 cv::BORDER_REFLECT_101);
}

void draw_ground(cv::Mat& rgb, cv::Mat& owner, const Scene& scene, const TextureSet& textures) {
  const double scale_x = static_cast<double>(scene.width) / rgb.cols * scene.texture_scale;
  const double scale_y = static_cast<double>(scene.height) / rgb.rows * scene.texture_scale;
  const int line = scene.backdrop ? static_cast<int>(std::lround(scene.horizon * rgb.rows)) : 0;
  const auto strip = [&](Surface surface, int variant, int top, int bottom) {
    const cv::Mat& texture = textures.get(surface, variant);
    // The sky's kinds run from top to bottom once; everything else is a pattern seen through a window.
    const bool graded = !is_ground(surface) && surface < Surface::brick;
    const double step_y = graded ? (kTextureSide - 1.0) / std::max(1, bottom - top) : scale_y;
    const double start_y = graded ? 0 : scene.texture_y;
    fill(rgb, top, bottom, texture, {scale_x, 0, scene.texture_x, 0, step_y, start_y});
  };
  owner.setTo(kSurfaceOwner);
  if (scene.backdrop) {
    strip(*scene.backdrop, scene.backdrop_variant, 0, line);
    owner.rowRange(0, line).setTo(kBackdropOwner);
  }
  strip(scene.surface, scene.surface_variant, line, rgb.rows);
}

/// Darkens an ellipse under a thing, softly.
void draw_shadow(cv::Mat& rgb, double x, double y, double radius_x, double radius_y) {
  const cv::Rect frame(0, 0, rgb.cols, rgb.rows);
  const cv::Rect area = cv::Rect(static_cast<int>(x - radius_x), static_cast<int>(y - radius_y),
                                 static_cast<int>(2 * radius_x) + 1, static_cast<int>(2 * radius_y) + 1) &
                        frame;
  for (int row = area.y; row < area.y + area.height; ++row) {
    auto* pixels = rgb.ptr<cv::Vec3b>(row);
    const double dy = (row - y) / radius_y;
    for (int column = area.x; column < area.x + area.width; ++column) {
      const double dx = (column - x) / radius_x;
      const double inside = 1 - dx * dx - dy * dy;
      if (inside > 0) {
        const double keep = 1 - 0.45 * std::min(1.0, 1.6 * inside);
        for (int c = 0; c < 3; ++c) {
          pixels[column][c] = static_cast<uchar>(pixels[column][c] * keep);
        }
      }
    }
  }
}

/// Lays a warped glyph over the picture and marks its pixels; returns its box and the number of its ink
/// pixels, outside ones included.
std::pair<cv::Rect, int64_t> composite(cv::Mat& rgb, cv::Mat& owner, const cv::Mat& glyph, cv::Point corner,
                                       double brightness, uint8_t mark) {
  cv::Rect box;
  int64_t ink = 0;
  int left = rgb.cols;
  int right = -1;
  int top = rgb.rows;
  int bottom = -1;
  const int light = static_cast<int>(std::lround(brightness * 256));
  for (int y = 0; y < glyph.rows; ++y) {
    const int row = corner.y + y;
    const auto* source = glyph.ptr<cv::Vec4b>(y);
    const bool inside_row = row >= 0 && row < rgb.rows;
    auto* target = inside_row ? rgb.ptr<cv::Vec3b>(row) : nullptr;
    auto* marks = inside_row ? owner.ptr<uchar>(row) : nullptr;
    for (int x = 0; x < glyph.cols; ++x) {
      const int alpha = source[x][3];
      if (alpha == 0) {
        continue;
      }
      ink += alpha > kInk ? 1 : 0;
      const int column = corner.x + x;
      if (!inside_row || column < 0 || column >= rgb.cols) {
        continue;
      }
      for (int c = 0; c < 3; ++c) {
        const int value = ((source[x][c] * light) >> 8) + target[column][c] * (255 - alpha) / 255;
        target[column][c] = static_cast<uchar>(std::min(255, value));
      }
      if (alpha > kInk) {
        marks[column] = mark;
        left = std::min(left, column);
        right = std::max(right, column);
        top = std::min(top, row);
        bottom = std::max(bottom, row);
      }
    }
  }
  if (right >= left) {
    box = {left, top, right - left + 1, bottom - top + 1};
  }
  return {box, ink};
}

struct Warped {
  cv::Mat glyph;
  cv::Point corner;
};

Warped warp(const GlyphSizes& sizes, const Placed& placed, double scale_x, double scale_y) {
  const double longest = std::max(sizes[0].cols, sizes[0].rows);
  const double zoom = placed.size / longest;
  size_t level = 0;
  while (level + 1 < sizes.size() && zoom * std::max(scale_x, scale_y) * (1 << level) < 0.6) {
    ++level;
  }
  const cv::Mat& source = sizes[level];
  const double unit_x = static_cast<double>(sizes[0].cols) / source.cols * zoom * (placed.flip ? -1 : 1);
  const double unit_y = static_cast<double>(sizes[0].rows) / source.rows * zoom;
  const double cosine = std::cos(placed.angle * CV_PI / 180);
  const double sine = std::sin(placed.angle * CV_PI / 180);
  const double a = scale_x * cosine * unit_x;
  const double b = -scale_x * sine * unit_y;
  const double c = scale_y * sine * unit_x;
  const double d = scale_y * cosine * unit_y;
  const double half_width = (std::fabs(a) * source.cols + std::fabs(b) * source.rows) / 2;
  const double half_height = (std::fabs(c) * source.cols + std::fabs(d) * source.rows) / 2;
  const double x = placed.x * scale_x;
  const double y = placed.y * scale_y;
  const cv::Point corner(static_cast<int>(std::floor(x - half_width)),
                         static_cast<int>(std::floor(y - half_height)));
  const cv::Size size(static_cast<int>(std::ceil(2 * half_width)) + 2,
                      static_cast<int>(std::ceil(2 * half_height)) + 2);
  // Pixel centres: source centre (cols-1)/2 goes to x - 0.5 in the picture.
  const double centre_x = (source.cols - 1) / 2.0;
  const double centre_y = (source.rows - 1) / 2.0;
  const cv::Matx23d matrix(a, b, x - 0.5 - corner.x - a * centre_x - b * centre_y, c, d,
                           y - 0.5 - corner.y - c * centre_x - d * centre_y);
  Warped result{{}, corner};
  cv::warpAffine(source, result.glyph, matrix, size, cv::INTER_LINEAR, cv::BORDER_CONSTANT,
                 cv::Scalar::all(0));
  return result;
}

void apply_light(cv::Mat& rgb, const Scene& scene) {
  float gain[3];
  for (int y = 0; y < rgb.rows; ++y) {
    auto* row = rgb.ptr<cv::Vec3b>(y);
    const double fall = scene.gain + scene.slope_y * (2.0 * y / rgb.rows - 1);
    for (int x = 0; x < rgb.cols; ++x) {
      const double here = fall + scene.slope_x * (2.0 * x / rgb.cols - 1);
      for (int c = 0; c < 3; ++c) {
        gain[c] = static_cast<float>(here * scene.tint[c]);
        row[x][c] = static_cast<uchar>(std::min(255.0F, row[x][c] * gain[c]));
      }
    }
  }
}

}  // namespace

Picture Renderer::draw(const Scene& scene, int width, int height) const {
  Picture picture{cv::Mat(height, width, CV_8UC3), cv::Mat(height, width, CV_8U), {}};
  const double scale_x = static_cast<double>(width) / scene.width;
  const double scale_y = static_cast<double>(height) / scene.height;
  draw_ground(picture.rgb, picture.owner, scene, textures_);
  std::vector<int64_t> ink;
  for (size_t i = 0; i < scene.things.size(); ++i) {
    const Placed& placed = scene.things[i];
    const GlyphSizes& sizes = glyphs_.get(placed.thing, placed.paint);
    if (casts_shadow(scene, placed)) {
      const double longest = std::max(sizes[0].cols, sizes[0].rows);
      const double foot = placed.y + placed.size / 2 * sizes[0].rows / longest;
      draw_shadow(picture.rgb, placed.x * scale_x, foot * scale_y,
                  0.48 * placed.size * sizes[0].cols / longest * scale_x, 0.09 * placed.size * scale_y);
    }
    const Warped warped = warp(sizes, placed, scale_x, scale_y);
    const auto [box, pixels] = composite(picture.rgb, picture.owner, warped.glyph, warped.corner,
                                         placed.brightness, static_cast<uint8_t>(i + 1));
    picture.extents.push_back({box, 0});
    ink.push_back(pixels);
  }
  for (size_t i = 0; i < ink.size(); ++i) {
    const cv::Rect& box = picture.extents[i].box;
    const int seen = box.empty() ? 0 : cv::countNonZero(picture.owner(box) == static_cast<int>(i + 1));
    picture.extents[i].visible = ink[i] > 0 ? static_cast<double>(seen) / static_cast<double>(ink[i]) : 0;
  }
  apply_light(picture.rgb, scene);
  return picture;
}

}  // namespace patchioner::emoji
