// Decoded pixels to network input (spec/01 sections 3 and 3.1).
#include <array>
#include <cmath>
#include <patchioner/error.hpp>

#include "image/image.hpp"
#include "image/resize.hpp"

namespace patchioner {
namespace {

constexpr int64_t kByteValues = 256;

/// The nearest integer, halves to the even one, as Python's round().
int64_t round_half_even(double value) {
  return static_cast<int64_t>(std::nearbyint(value));
}

/// Where a centre crop lies along one axis, and how many zeros come first when the image is smaller than the
/// crop.
struct CropAxis {
  int64_t image_begin = 0;  ///< in the resized image
  int64_t size = 0;         ///< pixels taken from it
  int64_t padding = 0;      ///< zeros before them
};

CropAxis centre_crop(int64_t image, int64_t crop) {
  if (image < crop) {
    return {0, image, (crop - image) / 2};
  }
  return {round_half_even(static_cast<double>(image - crop) / 2.0), crop, 0};
}

at::Tensor crop_mode(const at::Tensor& pixels, const ImageSpec& spec) {
  const ImageSize size = size_with_shorter_side(pixels.size(1), pixels.size(0), spec.resize_dim);
  const CropAxis x = centre_crop(size.width, spec.crop_dim);
  const CropAxis y = centre_crop(size.height, spec.crop_dim);
  const at::Tensor cut =
      resize_bicubic_window(pixels, size.width, size.height, {x.image_begin, y.image_begin, x.size, y.size});
  if (x.size == spec.crop_dim && y.size == spec.crop_dim) {
    return cut;
  }
  at::Tensor padded = at::zeros({spec.crop_dim, spec.crop_dim, pixels.size(2)}, at::kByte);
  padded.narrow(0, y.padding, y.size).narrow(1, x.padding, x.size).copy_(cut);
  return padded;
}

}  // namespace

ImageSize size_with_shorter_side(int64_t width, int64_t height, int64_t resize) {
  const int64_t longer = resize * std::max(width, height) / std::min(width, height);
  return width <= height ? ImageSize{resize, longer} : ImageSize{longer, resize};
}

at::Tensor resize_for(const at::Tensor& pixels, const ImageSpec& spec) {
  if (spec.keep_img_ratio) {
    return crop_mode(pixels, spec);
  }
  return resize_bicubic(pixels, spec.resize_dim, spec.resize_dim);
}

at::Tensor normalise(const at::Tensor& pixels, const ImageSpec& spec) {
  // Only 256 values a channel exist; computing each once keeps the two divisions of the reference and costs a
  // look-up a pixel.
  std::array<std::array<float, kByteValues>, 3> table{};
  for (size_t channel = 0; channel < table.size(); ++channel) {
    for (size_t value = 0; value < kByteValues; ++value) {
      table[channel][value] = (static_cast<float>(value) / 255.0F - spec.mean[channel]) / spec.std[channel];
    }
  }
  const at::Tensor source = pixels.contiguous();  // [H,W,3]
  const int64_t count = source.size(0) * source.size(1);
  at::Tensor result = at::empty({3, source.size(0), source.size(1)}, at::kFloat);  // [3,H,W]
  const uint8_t* bytes = source.const_data_ptr<uint8_t>();
  float* red = result.mutable_data_ptr<float>();
  float* green = red + count;
  float* blue = green + count;
  for (int64_t i = 0; i < count; ++i) {
    red[i] = table[0][bytes[3 * i]];
    green[i] = table[1][bytes[3 * i + 1]];
    blue[i] = table[2][bytes[3 * i + 2]];
  }
  return result;
}

at::Tensor preprocess(const Image& image, const ImageSpec& spec) {
  return normalise(resize_for(image.pixels, spec), spec);
}

Image crop_box(const Image& image, const Box& box) {
  // The reference holds boxes as float32 and adds the corners up in double.
  const double x = static_cast<float>(box.x);
  const double y = static_cast<float>(box.y);
  double width = static_cast<float>(box.width);
  double height = static_cast<float>(box.height);
  if (!std::isfinite(x) || !std::isfinite(y) || !std::isfinite(width) || !std::isfinite(height) ||
      width < 0 || height < 0) {
    throw Error(ErrorKind::data,
                "{}: the box [{}, {}, {}, {}] cannot be cut out; x, y, width, height have to be finite "
                "numbers, the last two not negative",
                image.path, box.x, box.y, box.width, box.height);
  }
  width = width == 0 ? 1 : width;
  height = height == 0 ? 1 : height;

  constexpr double kFarthest =
      1e9;  // keeps the corners within integers; a box that far out is refused below for its area
  const int64_t left = round_half_even(std::clamp(x, -kFarthest, kFarthest));
  const int64_t top = round_half_even(std::clamp(y, -kFarthest, kFarthest));
  const int64_t right = std::max(left + 1, round_half_even(std::clamp(x + width, -kFarthest, kFarthest)));
  const int64_t bottom = std::max(top + 1, round_half_even(std::clamp(y + height, -kFarthest, kFarthest)));
  if ((right - left) * (bottom - top) > kMostPixels) {
    throw Error(
        ErrorKind::data,
        "{}: the box [{}, {}, {}, {}] has more than {} pixels, too many to cut out of an image of {}x{}",
        image.path, box.x, box.y, box.width, box.height, kMostPixels, image.width(), image.height());
  }

  at::Tensor crop = at::zeros({bottom - top, right - left, 3}, at::kByte);  // black outside the image
  const int64_t x_begin = std::max<int64_t>(left, 0);
  const int64_t y_begin = std::max<int64_t>(top, 0);
  const int64_t x_size = std::min(right, image.width()) - x_begin;
  const int64_t y_size = std::min(bottom, image.height()) - y_begin;
  if (x_size > 0 && y_size > 0) {
    crop.narrow(0, y_begin - top, y_size)
        .narrow(1, x_begin - left, x_size)
        .copy_(image.pixels.narrow(0, y_begin, y_size).narrow(1, x_begin, x_size));
  }
  return {crop, image.path};
}

}  // namespace patchioner
