#include "glyphs.hpp"

#include <ft2build.h>
#include FT_FREETYPE_H

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <patchioner/error.hpp>

namespace patchioner::emoji {
namespace {

constexpr int kStrikeHeight = 109;  // the one bitmap size of the font, in pixels per em: 136 x 128 bitmaps
constexpr int kSmallestSide = 16;   // no size below this is made
constexpr int kInkAlpha = 16;       // alpha above which a pixel counts as ink

/// A FreeType library and face that close themselves.
class Font {
 public:
  explicit Font(const std::filesystem::path& path) {
    if (FT_Init_FreeType(&library_) != 0) {
      throw Error(ErrorKind::internal, "FreeType cannot be started");
    }
    if (FT_New_Face(library_, path.c_str(), 0, &face_) != 0) {
      FT_Done_FreeType(library_);
      throw Error(ErrorKind::io,
                  "{}: cannot be read as a font; on Debian: apt-get install fonts-noto-color-emoji",
                  path.string());
    }
    if (face_->num_fixed_sizes == 0 || FT_Select_Size(face_, 0) != 0 ||
        face_->available_sizes[0].y_ppem / 64 != kStrikeHeight) {
      throw Error(ErrorKind::data, "{}: has no colour bitmaps of {} pixels", path.string(), kStrikeHeight);
    }
  }
  ~Font() {
    FT_Done_Face(face_);
    FT_Done_FreeType(library_);
  }
  Font(const Font&) = delete;
  Font& operator=(const Font&) = delete;

  /// The bitmap of a code point as RGBA, colours not multiplied by alpha, cut to its ink.
  cv::Mat bitmap(uint32_t code, const std::string& noun) const {
    const FT_UInt index = FT_Get_Char_Index(face_, code);
    if (index == 0 || FT_Load_Glyph(face_, index, FT_LOAD_COLOR) != 0 ||
        face_->glyph->bitmap.pixel_mode != FT_PIXEL_MODE_BGRA) {
      throw Error(ErrorKind::data, "the font has no colour glyph for U+{:X} ({})", code, noun);
    }
    const FT_Bitmap& source = face_->glyph->bitmap;
    cv::Mat rgba(static_cast<int>(source.rows), static_cast<int>(source.width), CV_8UC4);
    cv::Rect ink;
    for (int y = 0; y < rgba.rows; ++y) {
      const unsigned char* row = source.buffer + static_cast<ptrdiff_t>(y) * source.pitch;
      for (int x = 0; x < rgba.cols; ++x) {
        const int alpha = row[4 * x + 3];
        // FreeType gives colours multiplied by alpha.
        const auto plain = [&](int channel) {
          return static_cast<uchar>(
              alpha == 0 ? 0 : std::min(255, (row[4 * x + channel] * 255 + alpha / 2) / alpha));
        };
        rgba.at<cv::Vec4b>(y, x) = {plain(2), plain(1), plain(0), static_cast<uchar>(alpha)};
        if (alpha > kInkAlpha) {
          ink |= cv::Rect(x, y, 1, 1);
        }
      }
    }
    return rgba(ink).clone();
  }

 private:
  FT_Library library_ = nullptr;
  FT_Face face_ = nullptr;
};

GlyphSizes halving_sizes(const cv::Mat& rgba) {
  cv::Mat current(rgba.size(), CV_8UC4);
  for (int y = 0; y < rgba.rows; ++y) {
    for (int x = 0; x < rgba.cols; ++x) {
      const cv::Vec4b& in = rgba.at<cv::Vec4b>(y, x);
      cv::Vec4b& out = current.at<cv::Vec4b>(y, x);
      for (int c = 0; c < 3; ++c) {
        out[c] = static_cast<uchar>((in[c] * in[3] + 127) / 255);
      }
      out[3] = in[3];
    }
  }
  GlyphSizes sizes = {current};
  while (std::min(current.rows, current.cols) >= 2 * kSmallestSide) {
    cv::Mat half;
    cv::resize(current, half, {(current.cols + 1) / 2, (current.rows + 1) / 2}, 0, 0, cv::INTER_AREA);
    sizes.push_back(half);
    current = half;
  }
  return sizes;
}

struct Hsv {
  double hue;  // degrees
  double saturation;
  double value;
};

Hsv to_hsv(const cv::Vec4b& pixel) {
  const double r = pixel[0] / 255.0;
  const double g = pixel[1] / 255.0;
  const double b = pixel[2] / 255.0;
  const double high = std::max({r, g, b});
  const double span = high - std::min({r, g, b});
  double hue = 0;
  if (span > 0) {
    hue = high == r   ? std::fmod((g - b) / span + 6, 6.0)
          : high == g ? (b - r) / span + 2
                      : (r - g) / span + 4;
  }
  return {hue * 60, high > 0 ? span / high : 0, high};
}

cv::Vec3b to_rgb(const Hsv& hsv) {
  const auto channel = [&](double n) {
    const double k = std::fmod(n + hsv.hue / 60, 6.0);
    const double value = hsv.value - hsv.value * hsv.saturation * std::max(0.0, std::min({k, 4 - k, 1.0}));
    return static_cast<uchar>(std::lround(value * 255));
  };
  return {channel(5), channel(3), channel(1)};
}

double hue_distance(double left, double right) {
  const double difference = std::fabs(std::fmod(left - right + 540, 360.0) - 180);
  return difference;
}

/// The hue that most of the ink has, weighted by saturation.
double main_hue(const cv::Mat& rgba) {
  std::array<double, 36> histogram{};
  for (int y = 0; y < rgba.rows; ++y) {
    for (int x = 0; x < rgba.cols; ++x) {
      const cv::Vec4b& pixel = rgba.at<cv::Vec4b>(y, x);
      const Hsv hsv = to_hsv(pixel);
      histogram[static_cast<size_t>(hsv.hue / 10) % 36] += hsv.saturation * hsv.value * pixel[3];
    }
  }
  size_t best = 0;
  double best_mass = -1;
  for (size_t i = 0; i < 36; ++i) {
    const double mass = histogram[(i + 35) % 36] + 2 * histogram[i] + histogram[(i + 1) % 36];
    if (mass > best_mass) {
      best_mass = mass;
      best = i;
    }
  }
  return static_cast<double>(best) * 10 + 5;
}

}  // namespace

cv::Mat repaint(const cv::Mat& rgba, const Paint& paint) {
  constexpr double kSameColour = 50;  // degrees around the main hue that belong to it
  const double from = main_hue(rgba);
  cv::Mat result = rgba.clone();
  for (int y = 0; y < rgba.rows; ++y) {
    for (int x = 0; x < rgba.cols; ++x) {
      cv::Vec4b& pixel = result.at<cv::Vec4b>(y, x);
      Hsv hsv = to_hsv(pixel);
      if (hsv.saturation < 0.08 || hue_distance(hsv.hue, from) > kSameColour) {
        continue;
      }
      const double offset = std::fmod(hsv.hue - from + 540, 360.0) - 180;
      hsv.hue = std::fmod(paint.hue + 0.4 * offset + 360, 360.0);
      hsv.saturation = std::pow(hsv.saturation, 0.6);  // pale things take the paint too
      hsv.value = std::pow(hsv.value, paint.lift);
      const cv::Vec3b rgb = to_rgb(hsv);
      pixel = {rgb[0], rgb[1], rgb[2], pixel[3]};
    }
  }
  return result;
}

GlyphSet::GlyphSet(const std::filesystem::path& font, const std::vector<Thing>& things) {
  const Font face(font);
  for (const Thing& thing : things) {
    originals_.push_back(face.bitmap(thing.code, thing.noun));
  }
  made_.resize(things.size() * (kPaints + 1));
}

const GlyphSizes& GlyphSet::get(int thing, int paint_index) const {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<GlyphSizes>& slot = made_[static_cast<size_t>(thing * (kPaints + 1) + paint_index + 1)];
  if (!slot) {
    const cv::Mat& original = originals_[static_cast<size_t>(thing)];
    slot = std::make_unique<GlyphSizes>(
        halving_sizes(paint_index < 0 ? original : repaint(original, paint(paint_index))));
  }
  return *slot;
}

}  // namespace patchioner::emoji
