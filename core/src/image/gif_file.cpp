// GIF through giflib: the first picture, laid on the canvas as Pillow does - transparency is ignored, and
// what the picture leaves open has the transparent colour, or the first one.
#include <gif_lib.h>

#include <algorithm>
#include <cstring>

#include "image/image_file.hpp"

namespace patchioner {
namespace {

struct Source {
  ByteSpan bytes;
  size_t position = 0;
};

int read_source(GifFileType* file, GifByteType* target, int size) {
  auto& source = *static_cast<Source*>(file->UserData);
  const size_t count = std::min<size_t>(size, source.bytes.size() - source.position);
  std::memcpy(target, source.bytes.data() + source.position, count);
  source.position += count;
  return static_cast<int>(count);
}

struct Closer {
  void operator()(GifFileType* file) const { DGifCloseFile(file, nullptr); }
};

[[noreturn]] void throw_gif_error(int code, const Source& source, const std::string& name) {
  if (code == D_GIF_ERR_READ_FAILED || code == D_GIF_ERR_EOF_TOO_SOON ||
      source.position == source.bytes.size()) {
    throw_truncated(
        name, fmt::format("it ends after {} bytes, before its first picture does", source.bytes.size()));
  }
  const char* text = GifErrorString(code);
  throw_damaged(name, fmt::format("giflib says \"{}\"", text == nullptr ? "unknown error" : text));
}

/// The rows of an interlaced picture in the order in which they are stored.
std::vector<int> row_order(int height, bool interlaced) {
  std::vector<int> rows;
  rows.reserve(height);
  const std::vector<std::pair<int, int>> passes =
      interlaced ? std::vector<std::pair<int, int>>{{0, 8}, {4, 8}, {2, 4}, {1, 2}}
                 : std::vector<std::pair<int, int>>{{0, 1}};
  for (const auto& [start, step] : passes) {
    for (int row = start; row < height; row += step) {
      rows.push_back(row);
    }
  }
  return rows;
}

/// Skips to the first picture; the transparent colour's index, or -1.
int seek_picture(GifFileType* file, const Source& source, const std::string& name) {
  int transparent = NO_TRANSPARENT_COLOR;
  while (true) {
    GifRecordType record = UNDEFINED_RECORD_TYPE;
    if (DGifGetRecordType(file, &record) == GIF_ERROR) {
      throw_gif_error(file->Error, source, name);
    }
    if (record == IMAGE_DESC_RECORD_TYPE) {
      return transparent;
    }
    if (record == TERMINATE_RECORD_TYPE) {
      throw_damaged(name, "it holds no picture");
    }
    int code = 0;
    GifByteType* block = nullptr;
    if (DGifGetExtension(file, &code, &block) == GIF_ERROR) {
      throw_gif_error(file->Error, source, name);
    }
    while (block != nullptr) {
      GraphicsControlBlock control;
      if (code == GRAPHICS_EXT_FUNC_CODE && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK) {
        transparent = control.TransparentColor;
      }
      if (DGifGetExtensionNext(file, &block) == GIF_ERROR) {
        throw_gif_error(file->Error, source, name);
      }
    }
  }
}

}  // namespace

DecodedPixels decode_gif(ByteSpan bytes, const std::string& name) {
  Source source{bytes, 0};
  int code = 0;
  const std::unique_ptr<GifFileType, Closer> file(DGifOpen(&source, read_source, &code));
  if (file == nullptr) {
    throw_gif_error(code, source, name);
  }
  check_image_size(std::max(file->SWidth, 1), std::max(file->SHeight, 1), name);
  const int transparent = seek_picture(file.get(), source, name);
  if (DGifGetImageDesc(file.get()) == GIF_ERROR) {
    throw_gif_error(file->Error, source, name);
  }
  const GifImageDesc& picture = file->Image;
  const int width = std::max(file->SWidth, picture.Left + picture.Width);
  const int height = std::max(file->SHeight, picture.Top + picture.Height);
  check_image_size(width, height, name);
  check_image_size(picture.Width, picture.Height, name);

  cv::Mat indices(height, width, CV_8UC1, cv::Scalar(std::max(transparent, 0)));
  for (const int row : row_order(picture.Height, picture.Interlace)) {
    if (DGifGetLine(file.get(), indices.ptr(picture.Top + row) + picture.Left, picture.Width) == GIF_ERROR) {
      throw_gif_error(file->Error, source, name);
    }
  }

  const ColorMapObject* colours = picture.ColorMap != nullptr ? picture.ColorMap : file->SColorMap;
  DecodedPixels decoded;
  if (colours == nullptr) {
    decoded.pixels = indices;  // no palette: grey levels
    return decoded;
  }
  decoded.pixels.create(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    const uint8_t* from = indices.ptr(y);
    uint8_t* to = decoded.pixels.ptr(y);
    for (int x = 0; x < width; ++x) {
      const bool known = from[x] < colours->ColorCount;
      const GifColorType colour = known ? colours->Colors[from[x]] : GifColorType{0, 0, 0};
      to[3 * x] = colour.Blue;
      to[3 * x + 1] = colour.Green;
      to[3 * x + 2] = colour.Red;
    }
  }
  return decoded;
}

}  // namespace patchioner
