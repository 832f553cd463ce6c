// JPEG through libjpeg, with its default decoding settings, which are Pillow's.
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <patchioner/log.hpp>
// jpeglib.h needs size_t and FILE declared before it.
#include <jerror.h>
#include <jpeglib.h>

#include "image/image_file.hpp"

namespace patchioner {
namespace {

constexpr unsigned kMarkerExif = JPEG_APP0 + 1;
constexpr std::string_view kExifStart("Exif\0\0", 6);

/// libjpeg's errors leave by longjmp, so that no object with a destructor may live between setjmp and a call.
struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf leave;
  char message[JMSG_LENGTH_MAX];
  bool end_missing;  ///< bytes were asked for after the last one
};

ErrorManager& manager_of(j_common_ptr info) {
  return *reinterpret_cast<ErrorManager*>(info->err);
}

void on_error(j_common_ptr info) {
  info->err->format_message(info, manager_of(info).message);
  std::longjmp(manager_of(info).leave, 1);
}

void on_message(j_common_ptr info, int level) {
  if (level >= 0) {
    return;  // a trace, not a warning
  }
  ErrorManager& manager = manager_of(info);
  manager.end_missing = manager.end_missing || info->err->msg_code == JWRN_JPEG_EOF;
  if (info->err->num_warnings++ == 0) {
    info->err->format_message(info, manager.message);
  }
}

/// Outcome of one step; a step never throws.
enum class Step { done, failed };

Step read_header(jpeg_decompress_struct& info, ErrorManager& manager, ByteSpan bytes) {
  if (setjmp(manager.leave) != 0) {
    return Step::failed;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_save_markers(&info, static_cast<int>(kMarkerExif), 0xFFFF);
  jpeg_read_header(&info, TRUE);
  return Step::done;
}

Step read_pixels(jpeg_decompress_struct& info, ErrorManager& manager, uint8_t* pixels, size_t row_bytes) {
  if (setjmp(manager.leave) != 0) {
    return Step::failed;
  }
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = pixels + info.output_scanline * row_bytes;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  return Step::done;
}

int orientation_of(const jpeg_decompress_struct& info) {
  for (jpeg_saved_marker_ptr marker = info.marker_list; marker != nullptr; marker = marker->next) {
    const ByteSpan data(reinterpret_cast<const std::byte*>(marker->data), marker->data_length);
    if (marker->marker == kMarkerExif && data.size() > kExifStart.size() &&
        std::memcmp(data.data(), kExifStart.data(), kExifStart.size()) == 0) {
      return exif_orientation(data.subspan(kExifStart.size()));
    }
  }
  return kUpright;
}

/// a * b / 255, rounded, for bytes.
int multiply_bytes(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/// Inks to light as Pillow does it, which takes every four-colour JPEG for one of Adobe's, whose inks are
/// stored inverted.
cv::Mat inks_to_bgr(const cv::Mat& inks) {
  cv::Mat bgr(inks.rows, inks.cols, CV_8UC3);
  for (int y = 0; y < inks.rows; ++y) {
    const uint8_t* source = inks.ptr(y);
    uint8_t* target = bgr.ptr(y);
    for (int x = 0; x < inks.cols; ++x) {
      const int light = source[4 * x + 3];  // 255 - black
      for (int c = 0; c < 3; ++c) {
        target[3 * x + 2 - c] =
            static_cast<uint8_t>(std::clamp(light - multiply_bytes(255 - source[4 * x + c], light), 0, 255));
      }
    }
  }
  return bgr;
}

/// Frees what libjpeg holds.
struct Decompressor {
  jpeg_decompress_struct info{};
  ErrorManager manager{};
  ~Decompressor() { jpeg_destroy_decompress(&info); }
};

}  // namespace

DecodedPixels decode_jpeg(ByteSpan bytes, const std::string& name) {
  Decompressor decompressor;
  jpeg_decompress_struct& info = decompressor.info;
  ErrorManager& manager = decompressor.manager;
  info.err = jpeg_std_error(&manager.base);
  manager.base.error_exit = on_error;
  manager.base.emit_message = on_message;

  if (read_header(info, manager, bytes) == Step::failed) {
    if (manager.end_missing) {
      throw_truncated(name, "its header is not complete");
    }
    throw_damaged(name, fmt::format("libjpeg says \"{}\"", manager.message));
  }
  check_image_size(info.image_width, info.image_height, name);

  DecodedPixels decoded;
  decoded.lossy_format = "JPEG";
  decoded.orientation = orientation_of(info);
  const bool inks = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  const bool grey = info.jpeg_color_space == JCS_GRAYSCALE;
  info.out_color_space = inks ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_EXT_BGR;
  const int channels = inks ? 4 : grey ? 1 : 3;
  decoded.pixels.create(static_cast<int>(info.image_height), static_cast<int>(info.image_width),
                        CV_8UC(channels));

  const Step step = read_pixels(info, manager, decoded.pixels.data, decoded.pixels.step);
  // Also for a file that lacks no more than its end marker, as Pillow does: what is cut off cannot be told.
  if (manager.end_missing) {
    throw_truncated(name, fmt::format("its {} bytes do not reach the end marker", bytes.size()));
  }
  if (step == Step::failed) {
    throw_damaged(name, fmt::format("libjpeg says \"{}\"", manager.message));
  }
  if (manager.base.num_warnings > 0) {
    log(LogLevel::warning,
        "{}: the JPEG data is damaged in places (libjpeg: \"{}\"); it was decoded as far as possible", name,
        manager.message);
  }
  if (inks) {
    decoded.pixels = inks_to_bgr(decoded.pixels);
  }
  return decoded;
}

}  // namespace patchioner
