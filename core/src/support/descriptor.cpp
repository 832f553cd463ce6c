#include "support/descriptor.hpp"

#include <unistd.h>

#include <cerrno>

namespace patchioner {
namespace {

/// `write(rest)` writes a part of what is left and says how much.
template <class Write>
bool write_parts(std::string_view rest, Write write) {
  while (!rest.empty()) {
    errno = 0;
    const ssize_t written = write(rest);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      errno = errno == 0 ? EIO : errno;
      return false;
    }
    rest.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

bool write_all(int descriptor, std::string_view bytes) {
  return write_parts(bytes,
                     [&](std::string_view rest) { return ::write(descriptor, rest.data(), rest.size()); });
}

bool write_all_at(int descriptor, std::string_view bytes, uint64_t offset) {
  return write_parts(bytes, [&](std::string_view rest) {
    const uint64_t place = offset + (bytes.size() - rest.size());
    return ::pwrite(descriptor, rest.data(), rest.size(), static_cast<off_t>(place));
  });
}

}  // namespace patchioner
