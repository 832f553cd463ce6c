#include "scoring/region_marks.hpp"

#include <algorithm>
#include <cmath>

#include "report/encode.hpp"

namespace patchioner {
namespace {

constexpr int64_t kOutlineWidth = 2;
constexpr std::array<uint8_t, 3> kRed = {255, 0, 0};
/// What Pillow makes of "red" in an image of mode L: (299 * 255) / 1000.
constexpr uint8_t kRedAsGrey = 76;
constexpr int kPillowQuality = 75;

/// Half the width of a dot's rows, from the middle one: Pillow's ellipse of radius 3.
constexpr std::array<int64_t, 4> kDotHalfWidths = {3, 3, 2, 1};
constexpr int64_t kDotRadius = 3;
constexpr int kDotAlpha = 122;

/// Sums such as x + width carry an error that must not take a pixel away.
double without_noise(double coordinate) {
  constexpr double kMillionths = 1e6;
  return std::round(coordinate * kMillionths) / kMillionths;
}

/// The whole pixel of a coordinate, which may lie far outside.
int64_t cut_off(double coordinate) {
  constexpr double kFarthest = 1e9;
  return static_cast<int64_t>(std::clamp(without_noise(coordinate), -kFarthest, kFarthest));
}

/// Pixels of one image, by row and column; those outside are passed over.
class Canvas {
 public:
  explicit Canvas(Image& image)
      : bytes_(image.pixels.mutable_data_ptr<uint8_t>()), height_(image.height()), width_(image.width()) {}

  void set(int64_t x, int64_t y, const std::array<uint8_t, 3>& colour) {
    if (x >= 0 && x < width_ && y >= 0 && y < height_) {
      std::copy(colour.begin(), colour.end(), bytes_ + (y * width_ + x) * 3);
    }
  }
  /// From x1 to x2, both included, in either order.
  void horizontal(int64_t x1, int64_t x2, int64_t y, const std::array<uint8_t, 3>& colour) {
    const int64_t end = std::min(std::max(x1, x2), width_ - 1);
    for (int64_t x = std::max<int64_t>(std::min(x1, x2), 0); x <= end; ++x) {
      set(x, y, colour);
    }
  }
  /// From y1 up or down to y2, which is not included.
  void vertical(int64_t x, int64_t y1, int64_t y2, const std::array<uint8_t, 3>& colour) {
    const int64_t begin = std::max<int64_t>(y1 <= y2 ? y1 : y2 + 1, 0);
    const int64_t end = std::min(y1 <= y2 ? y2 : y1 + 1, height_);
    for (int64_t y = begin; y < end; ++y) {
      set(x, y, colour);
    }
  }
  bool is_grey() const {
    for (int64_t i = 0; i < height_ * width_; ++i) {
      if (bytes_[3 * i] != bytes_[3 * i + 1] || bytes_[3 * i] != bytes_[3 * i + 2]) {
        return false;
      }
    }
    return true;
  }

 private:
  uint8_t* bytes_;
  int64_t height_;
  int64_t width_;
};

/// Red over an opaque value as Pillow composes them, in fixed point.
uint8_t under_dot(uint8_t value, uint8_t red) {
  constexpr int kBits = 7;
  constexpr int kOfDot = kDotAlpha << kBits;
  constexpr int kOfImage = (255 << kBits) - kOfDot;
  const int sum = red * kOfDot + value * kOfImage + (0x80 << kBits);
  return static_cast<uint8_t>((((sum >> 8) + sum) >> 8) >> kBits);
}

}  // namespace

void draw_boxes(Image& image, std::span<const BoxCorners> boxes) {
  image.pixels = image.pixels.clone();
  Canvas canvas(image);
  const std::array<uint8_t, 3> grey = {kRedAsGrey, kRedAsGrey, kRedAsGrey};
  // The reference draws into grey files as they are; that a file was grey shows in its pixels alone here.
  const std::array<uint8_t, 3> colour = canvas.is_grey() ? grey : kRed;
  for (const BoxCorners& box : boxes) {
    const int64_t left = cut_off(box[0]);
    const int64_t top = cut_off(box[1]);
    const int64_t right = cut_off(box[2]);
    const int64_t bottom = cut_off(box[3]);
    for (int64_t i = 0; i < kOutlineWidth; ++i) {
      canvas.horizontal(left, right, top + i, colour);
      canvas.horizontal(left, right, bottom - i, colour);
      canvas.vertical(right - i, top + kOutlineWidth, bottom - kOutlineWidth + 1, colour);
      canvas.vertical(left + i, top + kOutlineWidth, bottom - kOutlineWidth + 1, colour);
    }
  }
}

void draw_trace(Image& image, const Trace& trace) {
  const int64_t height = image.height();
  const int64_t width = image.width();
  // Dots are drawn on a layer of their own, so that the same pixel is not reddened twice.
  const at::Tensor dotted = at::zeros({height, width}, at::kByte);
  uint8_t* const is_dotted = dotted.mutable_data_ptr<uint8_t>();
  for (const TracePoint& point : trace.points) {
    if (!(point.x >= 0 && point.x <= 1 && point.y >= 0 && point.y <= 1)) {
      continue;
    }
    const auto column = static_cast<int64_t>(point.x * static_cast<double>(width));
    const auto row = static_cast<int64_t>(point.y * static_cast<double>(height));
    for (int64_t dy = -kDotRadius; dy <= kDotRadius; ++dy) {
      const int64_t half = kDotHalfWidths[static_cast<size_t>(std::abs(dy))];
      for (int64_t dx = -half; dx <= half; ++dx) {
        const int64_t x = column + dx;
        const int64_t y = row + dy;
        if (x >= 0 && x < width && y >= 0 && y < height) {
          is_dotted[y * width + x] = 1;
        }
      }
    }
  }
  image.pixels = image.pixels.clone();
  auto* const bytes = image.pixels.mutable_data_ptr<uint8_t>();
  for (int64_t i = 0; i < height * width; ++i) {
    for (int64_t c = 0; is_dotted[i] != 0 && c < 3; ++c) {
      bytes[3 * i + c] = under_dot(bytes[3 * i + c], kRed[static_cast<size_t>(c)]);
    }
  }
}

Image cut_box(const Image& image, const BoxCorners& box) {
  BoxCorners moved = box;
  for (const size_t axis : {size_t{0}, size_t{1}}) {
    if (moved[axis] == moved[axis + 2]) {
      moved[axis] += moved[axis] > 0 ? -1 : 1;
    }
    if (moved[axis] > moved[axis + 2]) {
      std::swap(moved[axis], moved[axis + 2]);
    }
  }
  for (double& corner : moved) {
    corner = std::nearbyint(without_noise(corner));  // halves to the even number, as Pillow cuts
  }
  return crop_box(image, {moved[0], moved[1], moved[2] - moved[0], moved[3] - moved[1]});
}

Image through_jpeg(const Image& image) {
  const std::string bytes = encode_jpeg(image.pixels, kPillowQuality);
  return decode_image(std::as_bytes(std::span(bytes)), image.path, ExifOrientation::ignore);
}

}  // namespace patchioner
