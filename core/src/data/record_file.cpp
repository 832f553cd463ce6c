#include "data/record_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <patchioner/error.hpp>

#include "support/descriptor.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

std::string reason() {
  return std::strerror(errno);
}

/// Where the last whole line ends.
uint64_t whole_lines(int descriptor, uint64_t size) {
  constexpr uint64_t kBlock = 1 << 16;
  std::string block;
  for (uint64_t end = size; end > 0;) {
    const uint64_t start = end > kBlock ? end - kBlock : 0;
    block.resize(end - start);
    if (::pread(descriptor, block.data(), block.size(), static_cast<off_t>(start)) !=
        static_cast<ssize_t>(block.size())) {
      break;
    }
    if (const size_t newline = block.rfind('\n'); newline != std::string::npos) {
      return start + newline + 1;
    }
    end = start;
  }
  return 0;
}

}  // namespace

RecordFile::RecordFile(std::filesystem::path path, RecordFileMode mode) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw Error(ErrorKind::io, "{}: cannot be written: {}", path_.string(), reason());
  }
  const auto refuse = [this](const Error& error) {
    ::close(descriptor_);
    descriptor_ = -1;
    throw error;
  };
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    refuse(Error(ErrorKind::io, "{}: cannot be written: it is not a regular file", path_.string()));
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    refuse(Error(ErrorKind::io, "{}: another process is writing this file", path_.string()));
  }
  const auto size = static_cast<uint64_t>(status.st_size);
  if (mode == RecordFileMode::create && size > 0) {
    refuse(Error(ErrorKind::usage, "{}: exists and is not empty; go on with it by --resume, or remove it",
                 path_.string()));
  }
  size_ = whole_lines(descriptor_, size);
  opened_ = size_;
  if (size_ < size && ::ftruncate(descriptor_, static_cast<off_t>(size_)) != 0) {
    refuse(Error(ErrorKind::io, "{}: its torn last line cannot be dropped: {}", path_.string(), reason()));
  }
}

RecordFile::~RecordFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

void RecordFile::read(const std::function<void(std::string_view line, size_t number)>& visit) const {
  const auto file = MappedFile::open(path_);
  std::string_view rest = file->text().substr(0, opened_);
  for (size_t number = 1; !rest.empty(); ++number) {
    const size_t end = rest.find('\n');
    if (end > 0) {
      visit(rest.substr(0, end), number);
    }
    rest.remove_prefix(end + 1);
  }
}

void RecordFile::append(std::string_view record) {
  std::string line(record);
  line += '\n';
  if (!write_all_at(descriptor_, line, size_)) {
    const std::string why = reason();
    const bool cut = ::ftruncate(descriptor_, static_cast<off_t>(size_)) == 0;
    throw Error(ErrorKind::io, "{}: a record cannot be written: {}; {}", path_.string(), why,
                cut ? "the records before it are whole: make room, and go on from there"
                    : "its last line may be torn");
  }
  size_ += line.size();
}

}  // namespace patchioner
