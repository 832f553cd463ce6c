#include "support/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <patchioner/error.hpp>

namespace patchioner {

bool is_still_there(int descriptor, const std::filesystem::path& path) {
  struct stat ours {};
  struct stat named {};
  return ::fstat(descriptor, &ours) == 0 && ::stat(path.c_str(), &named) == 0 &&
         ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

int open_locked(const std::filesystem::path& path, const std::string& busy) {
  while (true) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0) {
      throw Error(ErrorKind::io, "{}: cannot be written: {}", path.string(), std::strerror(errno));
    }
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const int reason = errno;
      ::close(descriptor);
      if (reason == EWOULDBLOCK) {
        throw Error(ErrorKind::io, "{}: {}", path.string(), busy);
      }
      throw Error(ErrorKind::io, "{}: cannot be locked: {}", path.string(), std::strerror(reason));
    }
    if (is_still_there(descriptor, path)) {
      return descriptor;
    }
    ::close(descriptor);
  }
}

FileLock::FileLock(std::filesystem::path path, const std::string& busy)
    : path_(std::move(path)), descriptor_(open_locked(path_, busy)) {}

FileLock::~FileLock() {
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

}  // namespace patchioner
