#include "text/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <patchioner/error.hpp>

namespace patchioner {

bool is_gzip(std::string_view content) {
  return content.size() >= 2 && content[0] == '\x1f' && content[1] == '\x8b';
}

void gunzip_in_parts(std::string_view content, const std::string& place,
                     const std::function<void(std::string_view part)>& use) {
  z_stream stream{};
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) {
    throw Error(ErrorKind::internal, "{}: zlib could not be set up", place);
  }
  const auto close = [](z_stream* open) { inflateEnd(open); };
  const std::unique_ptr<z_stream, decltype(close)> guard(&stream, close);

  std::string buffer(size_t{1} << 16, '\0');
  int status = Z_OK;
  while (true) {
    if (stream.avail_in == 0 && !content.empty()) {
      const size_t part = std::min<size_t>(content.size(), std::numeric_limits<uInt>::max());
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
      stream.avail_in = static_cast<uInt>(part);
      content.remove_prefix(part);
    }
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) {
        return;
      }
      inflateReset(&stream);  // a further member
    }
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    status = inflate(&stream, Z_NO_FLUSH);
    use(std::string_view(buffer).substr(0, buffer.size() - stream.avail_out));
    if (status != Z_OK && status != Z_STREAM_END) {
      throw Error(ErrorKind::data, "{}: the gzip file is damaged or cut ({}); fetch it again", place,
                  status == Z_BUF_ERROR   ? "it ends too early"
                  : stream.msg != nullptr ? stream.msg
                                          : "bad data");
    }
  }
}

std::string gunzip(std::string_view content, const std::string& place, size_t most_bytes) {
  std::string result;
  gunzip_in_parts(content, place, [&](std::string_view part) {
    if (result.size() + part.size() > most_bytes) {
      throw Error(ErrorKind::data,
                  "{}: the gzip file unpacks to more than {} bytes; it is not what is wanted here", place,
                  most_bytes);
    }
    result += part;
  });
  return result;
}

}  // namespace patchioner
