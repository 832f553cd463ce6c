#include "report/encode.hpp"

#include <zlib.h>

#include <fstream>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <patchioner/error.hpp>

#include "support/files.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

std::string encode(const at::Tensor& pixels, const char* extension, const std::vector<int>& parameters) {
  const at::Tensor contiguous = pixels.contiguous();
  const bool alpha = contiguous.size(2) == 4;
  const cv::Mat view(static_cast<int>(contiguous.size(0)), static_cast<int>(contiguous.size(1)),
                     alpha ? CV_8UC4 : CV_8UC3, contiguous.data_ptr());
  cv::Mat swapped;
  cv::cvtColor(view, swapped, alpha ? cv::COLOR_RGBA2BGRA : cv::COLOR_RGB2BGR);
  std::vector<uint8_t> bytes;
  if (!cv::imencode(extension, swapped, bytes, parameters)) {
    throw Error(ErrorKind::internal, "a picture of {}x{} pixels could not be encoded as {}",
                contiguous.size(1), contiguous.size(0), extension + 1);
  }
  return {bytes.begin(), bytes.end()};
}

/// Length of the well-formed UTF-8 sequence at the start of `text`; 0 when there is none.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xc2 && first <= 0xdf) {
    return continues(1) ? 2 : 0;
  }
  if (first >= 0xe0 && first <= 0xef) {
    if (!continues(1) || !continues(2)) {
      return 0;
    }
    const bool overlong = first == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = first == 0xed && byte(1) > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (!continues(1) || !continues(2) || !continues(3)) {
      return 0;
    }
    const bool overlong = first == 0xf0 && byte(1) < 0x90;
    const bool too_large = first == 0xf4 && byte(1) > 0x8f;
    return overlong || too_large ? 0 : 4;
  }
  return 0;
}

constexpr size_t kPngHeaderBytes = 8 + 25;  // signature and the chunk IHDR
constexpr std::string_view kPngAuthor("Software\0patchioner", 19);

/// A chunk as PNG wants it: length, type, data, checksum of both; numbers with the highest byte first.
std::string png_chunk(std::string_view type, std::string_view data) {
  const auto number = [](uint32_t value) {
    return std::string{static_cast<char>(value >> 24), static_cast<char>(value >> 16),
                       static_cast<char>(value >> 8), static_cast<char>(value)};
  };
  const std::string content = std::string(type) + std::string(data);
  const auto checksum = static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
  return number(static_cast<uint32_t>(data.size())) + content + number(checksum);
}

}  // namespace

std::string encode_png(const at::Tensor& pixels) {
  return encode(pixels, ".png", {});
}

std::string encode_jpeg(const at::Tensor& pixels, int quality) {
  return encode(pixels, ".jpg", {cv::IMWRITE_JPEG_QUALITY, quality});
}

void write_png(const std::filesystem::path& path, const at::Tensor& pixels) {
  std::string png = encode_png(pixels);
  png.insert(kPngHeaderBytes, png_chunk("tEXt", kPngAuthor));
  write_file(path, png);
}

bool is_written_png(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string mark = png_chunk("tEXt", kPngAuthor);
  std::string start(kPngHeaderBytes + mark.size(), '\0');
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  return file && start.substr(kPngHeaderBytes) == mark;
}

at::Tensor shrink(const at::Tensor& pixels, int64_t longest) {
  const int64_t height = pixels.size(0);
  const int64_t width = pixels.size(1);
  if (std::max(height, width) <= longest) {
    return pixels;
  }
  const double scale = static_cast<double>(longest) / static_cast<double>(std::max(height, width));
  const auto target_width = std::max(1, static_cast<int>(std::lround(static_cast<double>(width) * scale)));
  const auto target_height = std::max(1, static_cast<int>(std::lround(static_cast<double>(height) * scale)));
  const at::Tensor contiguous = pixels.contiguous();
  const cv::Mat view(static_cast<int>(height), static_cast<int>(width), CV_8UC3, contiguous.data_ptr());
  at::Tensor result = at::empty({target_height, target_width, 3}, at::kByte);
  cv::Mat target(target_height, target_width, CV_8UC3, result.data_ptr());
  cv::resize(view, target, target.size(), 0, 0, cv::INTER_AREA);
  return result;
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (size_t j = 0; j < 4; ++j) {
      text += j <= count ? kAlphabet[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

std::string data_uri(std::string_view media_type, std::string_view bytes) {
  return fmt::format("data:{};base64,{}", media_type, base64(bytes));
}

std::string escape_html(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    const char first = text.front();
    if (length == 0 ||
        (length == 1 && static_cast<unsigned char>(first) < 0x20 && first != '\n' && first != '\t')) {
      result += kReplacement;
      text.remove_prefix(1);
      continue;
    }
    switch (first) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return result;
}

}  // namespace patchioner
