#include "support/append_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <patchioner/error.hpp>
#include <string>

#include "support/descriptor.hpp"
#include "support/file_lock.hpp"

namespace patchioner {
namespace {

Error failure(const std::filesystem::path& path, const char* what) {
  return Error(ErrorKind::io, "{}: {}: {}", path.string(), what, std::strerror(errno));
}

}  // namespace

AppendFile::AppendFile(std::filesystem::path path)
    : path_(std::move(path)),
      descriptor_(
          open_locked(path_, "another process is writing this file; wait for it, or choose another name")) {
  ::lseek(descriptor_, 0, SEEK_END);
}

AppendFile::~AppendFile() {
  struct stat status {};
  if (::fstat(descriptor_, &status) == 0 && status.st_size == 0) {
    ::unlink(path_.c_str());
  }
  ::close(descriptor_);
}

uint64_t AppendFile::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) {
    throw failure(path_, "cannot be read");
  }
  return static_cast<uint64_t>(status.st_size);
}

void AppendFile::truncate(uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0 || ::lseek(descriptor_, 0, SEEK_END) < 0) {
    throw failure(path_, "cannot be written");
  }
}

void AppendFile::append(std::string_view bytes) {
  if (!write_all(descriptor_, bytes)) {
    throw failure(path_, "cannot be written");
  }
}

bool AppendFile::begins_with(std::string_view bytes) const {
  std::string found(bytes.size(), '\0');
  size_t filled = 0;
  while (filled < found.size()) {
    const ssize_t got =
        ::pread(descriptor_, found.data() + filled, found.size() - filled, static_cast<off_t>(filled));
    if (got <= 0) {
      return false;
    }
    filled += static_cast<size_t>(got);
  }
  return found == bytes;
}

void AppendFile::sync() {
  if (::fsync(descriptor_) != 0) {
    throw failure(path_, "cannot be written");
  }
}

void AppendFile::rename(const std::filesystem::path& target) {
  sync();
  if (::rename(path_.c_str(), target.c_str()) != 0) {
    throw failure(target, "cannot be written");
  }
  path_ = target;
}

}  // namespace patchioner
