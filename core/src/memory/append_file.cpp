#include "memory/append_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <patchioner/error.hpp>
#include <string>

namespace patchioner {
namespace {

Error failure(const std::filesystem::path& path, const char* what) {
  return Error(ErrorKind::io, "{}: {}: {}", path.string(), what, std::strerror(errno));
}

}  // namespace

AppendFile::AppendFile(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw failure(path_, "cannot be written");
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor_);
    throw Error(ErrorKind::io,
                "{}: another process is writing this file; wait for it, or choose another name",
                path_.string());
  }
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
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      throw failure(path_, "cannot be written");
    }
    bytes.remove_prefix(static_cast<size_t>(written));
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
