// Pixels as image files in memory, and bytes as text for a page.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace patchioner {

/// [H,W,3] RGB or [H,W,4] RGBA uint8 as PNG.
std::string encode_png(const at::Tensor& pixels);

/// [H,W,3] RGB uint8 as JPEG; `quality` 1 to 100.
std::string encode_jpeg(const at::Tensor& pixels, int quality);

/// Writes a PNG atomically, with a line inside that says who wrote it. Throws an Error of kind io.
void write_png(const std::filesystem::path& path, const at::Tensor& pixels);

/// Whether a file was written by write_png; false for what cannot be read.
bool is_written_png(const std::filesystem::path& path);

/// At most `longest` pixels on the longer side; a smaller image comes back as it is. Area averaging, for
/// looking at only.
at::Tensor shrink(const at::Tensor& pixels, int64_t longest);

std::string base64(std::string_view bytes);

/// "data:image/jpeg;base64,..."
std::string data_uri(std::string_view media_type, std::string_view bytes);

/// Text for HTML: & < > " ' escaped; ill-formed UTF-8 and control characters replaced.
std::string escape_html(std::string_view text);

}  // namespace patchioner
