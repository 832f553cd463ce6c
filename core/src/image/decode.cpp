// Files to RGB bytes and masks: which decoder, then the conversions that all formats share.
#include <limits>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <patchioner/error.hpp>
#include <system_error>

#include "image/image.hpp"
#include "image/image_file.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

using std::string_view_literals::operator""sv;

bool starts_with(ByteSpan bytes, std::string_view signature, size_t offset = 0) {
  if (bytes.size() < offset + signature.size()) {
    return false;
  }
  return std::string_view(reinterpret_cast<const char*>(bytes.data()) + offset, signature.size()) ==
         signature;
}

/// A mask is marked by alpha where there is alpha, else by any colour (spec/01 section 4.8).
template <class Sample>
void mark_pixels(const cv::Mat& pixels, bool* mask) {
  const int channels = pixels.channels();
  for (int y = 0; y < pixels.rows; ++y) {
    const auto* row = pixels.ptr<Sample>(y);
    for (int x = 0; x < pixels.cols; ++x) {
      const Sample* pixel = row + static_cast<int64_t>(x) * channels;
      bool marked = false;
      for (int c = channels == 4 ? 3 : 0; c < channels; ++c) {
        marked = marked || pixel[c] > 0;
      }
      *mask++ = marked;
    }
  }
}

/// 8-bit RGB of whatever was decoded: grey replicated, alpha dropped, of 16 bits the upper 8.
template <class Sample>
at::Tensor to_rgb(const cv::Mat& pixels) {
  constexpr int kShift = 8 * (sizeof(Sample) - 1);
  at::Tensor rgb = at::empty({pixels.rows, pixels.cols, 3}, at::kByte);  // [H,W,3]
  auto* target = rgb.mutable_data_ptr<uint8_t>();
  const int channels = pixels.channels();
  const int red = channels == 1 ? 0 : 2;
  const int green = channels == 1 ? 0 : 1;
  for (int y = 0; y < pixels.rows; ++y) {
    const auto* source = pixels.ptr<Sample>(y);
    for (int x = 0; x < pixels.cols; ++x, source += channels, target += 3) {
      target[0] = static_cast<uint8_t>(source[red] >> kShift);
      target[1] = static_cast<uint8_t>(source[green] >> kShift);
      target[2] = static_cast<uint8_t>(source[0] >> kShift);
    }
  }
  return rgb;
}

/// Pixels [H,W,C] turned upright from EXIF's orientation: 5 to 8 exchange the sides, then rows and columns
/// are reversed as needed.
at::Tensor upright(const at::Tensor& pixels, int orientation) {
  at::Tensor turned = orientation >= 5 ? pixels.transpose(0, 1) : pixels;
  const bool reverse_rows = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  const bool reverse_columns = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  if (reverse_rows) {
    turned = turned.flip(0);
  }
  if (reverse_columns) {
    turned = turned.flip(1);
  }
  return turned.contiguous();
}

/// Read, not mapped: a file that shrinks or a disk that fails under a mapping would kill the process, and one
/// bad image is only a record among others.
std::string read_image_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw Error(ErrorKind::data, "{}: this is a folder, not an image", path.string());
  }
  return read_file(path);
}

}  // namespace

cv::Mat decode_with_opencv(ByteSpan bytes, const std::string& name) {
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    throw Error(ErrorKind::data, "{}: the file has {} bytes, more than an image of this format may have",
                name, bytes.size());
  }
  // OpenCV prints what it thinks of a file; the sentence below says it to whoever asked for the image.
  static const auto silenced = cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  (void)silenced;
  cv::Mat pixels;
  try {
    const cv::Mat file(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<std::byte*>(bytes.data()));
    pixels = cv::imdecode(file, cv::IMREAD_UNCHANGED);
  } catch (const cv::Exception& error) {
    throw_damaged(name, fmt::format("OpenCV says \"{}\"", error.err));
  }
  if (pixels.empty()) {
    throw_damaged(name, "its pixels cannot be decoded, or end too early");
  }
  const bool known_depth = pixels.depth() == CV_8U || pixels.depth() == CV_16U;
  const bool known_channels = pixels.channels() == 1 || pixels.channels() == 3 || pixels.channels() == 4;
  if (!known_depth || !known_channels) {
    throw Error(
        ErrorKind::data,
        "{}: images with {} channels of OpenCV's type {} are not read; save it with 8 or 16 bits a channel",
        name, pixels.channels(), cv::typeToString(pixels.type()));
  }
  return pixels;
}

DecodedPixels decode_any(ByteSpan bytes, const std::string& name) {
  if (bytes.empty()) {
    throw Error(ErrorKind::data, "{}: the image is empty (0 bytes)", name);
  }
  if (starts_with(bytes, "\xff\xd8"sv)) {
    return decode_jpeg(bytes, name);
  }
  if (starts_with(bytes, "\x89PNG\r\n\x1a\n"sv)) {
    return decode_png(bytes, name);
  }
  if (starts_with(bytes, "RIFF"sv) && starts_with(bytes, "WEBP"sv, 8)) {
    return decode_webp(bytes, name);
  }
  if (starts_with(bytes, "GIF87a"sv) || starts_with(bytes, "GIF89a"sv)) {
    return decode_gif(bytes, name);
  }
  if (starts_with(bytes, "II*\0"sv) || starts_with(bytes, "MM\0*"sv) || starts_with(bytes, "II+\0"sv) ||
      starts_with(bytes, "MM\0+"sv)) {
    return decode_tiff(bytes, name);
  }
  if (starts_with(bytes, "BM"sv)) {
    return decode_bmp(bytes, name);
  }
  throw Error(ErrorKind::data,
              "{}: this is not an image that can be read; give a JPEG, PNG, WebP, GIF, BMP or TIFF file",
              name);
}

Image decode_image(std::span<const std::byte> bytes, const std::string& name, ExifOrientation orientation) {
  const DecodedPixels decoded = decode_any(bytes, name);
  check_image_size(decoded.pixels.cols, decoded.pixels.rows, name);
  at::Tensor rgb =
      decoded.pixels.depth() == CV_16U ? to_rgb<uint16_t>(decoded.pixels) : to_rgb<uint8_t>(decoded.pixels);
  if (orientation == ExifOrientation::apply && decoded.orientation != kUpright) {
    rgb = upright(rgb, decoded.orientation);
  }
  return {rgb, name};
}

Image read_image(const std::filesystem::path& path, ExifOrientation orientation) {
  const std::string content = read_image_file(path);
  return decode_image(std::as_bytes(std::span(content)), path.string(), orientation);
}

at::Tensor read_mask(const std::filesystem::path& path) {
  const std::string content = read_image_file(path);
  const DecodedPixels decoded = decode_any(std::as_bytes(std::span(content)), path.string());
  if (decoded.lossy_format != nullptr) {
    throw Error(ErrorKind::data,
                "{}: a {} cannot be a mask, since its black is not exactly 0; save the mask as PNG",
                path.string(), decoded.lossy_format);
  }
  at::Tensor mask = at::empty({decoded.pixels.rows, decoded.pixels.cols}, at::kBool);  // [H,W]
  bool* target = mask.mutable_data_ptr<bool>();
  decoded.pixels.depth() == CV_16U ? mark_pixels<uint16_t>(decoded.pixels, target)
                                   : mark_pixels<uint8_t>(decoded.pixels, target);
  return mask;
}

}  // namespace patchioner
