#include "support/files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <patchioner/error.hpp>
#include <vector>

#include "support/descriptor.hpp"

namespace patchioner {
namespace {

constexpr size_t kBufferSize = 1 << 20;

std::string reason() {
  return std::strerror(errno);
}

Error unchanged(const std::filesystem::path& target) {
  return Error(ErrorKind::io, "{}: cannot be written: {}; nothing was changed", target.string(), reason());
}

/// A regular file, open for reading.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path) {
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) {
      throw Error(ErrorKind::io, "{}: cannot be opened: {}", path.string(), reason());
    }
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
      ::close(descriptor_);
      throw Error(ErrorKind::io, "{}: cannot be read: {}", path.string(),
                  S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file");
    }
    size_ = static_cast<size_t>(status.st_size);
  }
  ~InputFile() { ::close(descriptor_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  int descriptor() const { return descriptor_; }
  size_t size() const { return size_; }

 private:
  int descriptor_;
  size_t size_;
};

}  // namespace

MappedFile::MappedFile(std::filesystem::path path, const void* data, size_t size)
    : path_(std::move(path)), data_(data), size_(size) {}

MappedFile::~MappedFile() {
  if (size_ > 0) {
    ::munmap(const_cast<void*>(data_), size_);
  }
}

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const InputFile file(path);
  const void* data = nullptr;
  if (file.size() > 0) {
    // Writable but private: whoever changes a tensor of a mapped checkpoint in place changes a copy, never
    // the file.
    data = ::mmap(nullptr, file.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE,
                  file.descriptor(), 0);
    if (data == MAP_FAILED) {
      throw Error(ErrorKind::io, "{}: cannot be mapped into memory: {}", path.string(), reason());
    }
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(path, data, file.size()));
}

void MappedFile::release_pages(size_t begin, size_t count) const {
  // Bits of an entry of the page map (proc_pid_pagemap(5)). A page that was changed in place is the process's
  // own, no page of the file any more, and is kept.
  constexpr uint64_t kPresent = uint64_t{1} << 63;
  constexpr uint64_t kOfFile = uint64_t{1} << 61;
  constexpr size_t kEntriesAtOnce = 8192;
  const size_t stop = std::min(size_, begin + std::min(count, size_));
  const int map = begin < stop ? ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC) : -1;
  if (map < 0) {
    return;
  }
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const auto start = reinterpret_cast<uintptr_t>(data_);
  const size_t pages = (stop + page - 1) / page;
  std::vector<uint64_t> entries(kEntriesAtOnce);
  for (size_t first = begin / page; first < pages; first += kEntriesAtOnce) {
    const size_t wanted = std::min(kEntriesAtOnce, pages - first);
    const ssize_t bytes = ::pread(map, entries.data(), wanted * sizeof(uint64_t),
                                  static_cast<off_t>((start / page + first) * sizeof(uint64_t)));
    const size_t found = bytes > 0 ? static_cast<size_t>(bytes) / sizeof(uint64_t) : 0;
    const auto of_file = [&entries](size_t i) {
      return (entries[i] & kPresent) != 0 && (entries[i] & kOfFile) != 0;
    };
    for (size_t i = 0; i < found;) {
      size_t end = i;
      while (end < found && of_file(end)) {
        ++end;
      }
      if (end > i) {
        ::madvise(reinterpret_cast<void*>(start + (first + i) * page), (end - i) * page, MADV_DONTNEED);
      }
      i = std::max(end, i + 1);
    }
  }
  ::close(map);
}

std::string read_file(const std::filesystem::path& path) {
  const InputFile file(path);
  std::string content(file.size(), '\0');
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t count = ::read(file.descriptor(), content.data() + done, content.size() - done);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      throw Error(ErrorKind::io, "{}: cannot be read: {}", path.string(), reason());
    }
    if (count == 0) {
      break;  // it shrank meanwhile
    }
    done += static_cast<size_t>(count);
  }
  content.resize(done);
  return content;
}

void make_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  std::error_code failed;
  if (!folder.empty()) {
    std::filesystem::create_directories(folder, failed);
  }
  if (failed) {
    throw Error(ErrorKind::io, "{}: cannot be written: its folder is not there and cannot be made: {}",
                file.string(), failed.message());
  }
}

void remove_abandoned_parts(const std::filesystem::path& target) {
  const std::string start = target.filename().string() + ".";
  constexpr std::string_view kEnd = ".partial";
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  std::error_code ignored;
  for (auto entry = std::filesystem::directory_iterator(folder, ignored);
       !ignored && entry != std::filesystem::directory_iterator(); entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(start) || !name.ends_with(kEnd) || name.size() <= start.size() + kEnd.size()) {
      continue;
    }
    const std::string process = name.substr(start.size(), name.size() - start.size() - kEnd.size());
    pid_t id = 0;
    const auto [end, error] = std::from_chars(process.data(), process.data() + process.size(), id);
    if (error == std::errc() && end == process.data() + process.size() && id > 0 && ::kill(id, 0) != 0 &&
        errno == ESRCH) {
      std::error_code failed;
      std::filesystem::remove(entry->path(), failed);
    }
  }
}

AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)) {
  // A rename over a folder fails, but only after all work; one over a device would take its place.
  struct stat status {};
  if (::stat(target_.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::io, "{}: cannot be written: {}", target_.string(),
                S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file");
  }
  temporary_ = target_;
  temporary_ += "." + std::to_string(::getpid()) + ".partial";
  descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw Error(ErrorKind::io, "{}: cannot be written: {}", target_.string(), reason());
  }
  buffer_.reserve(kBufferSize);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::write(const void* data, size_t size) {
  if (buffer_.size() + size > kBufferSize) {
    flush_buffer();
  }
  const std::string_view bytes(static_cast<const char*>(data), size);
  if (size < kBufferSize) {
    buffer_.append(bytes);
  } else if (!write_all(descriptor_, bytes)) {
    throw unchanged(target_);
  }
}

void AtomicFile::flush_buffer() {
  std::string pending;
  pending.swap(buffer_);
  if (!write_all(descriptor_, pending)) {
    throw unchanged(target_);
  }
}

void AtomicFile::write_at(uint64_t offset, const void* data, size_t size) {
  flush_buffer();
  if (!write_all_at(descriptor_, {static_cast<const char*>(data), size}, offset)) {
    throw unchanged(target_);
  }
}

void AtomicFile::commit() {
  flush_buffer();
  const bool synced = ::fsync(descriptor_) == 0;
  const bool closed = ::close(descriptor_) == 0;
  descriptor_ = -1;
  if (!synced || !closed || ::rename(temporary_.c_str(), target_.c_str()) != 0) {
    const std::string why = reason();
    ::unlink(temporary_.c_str());
    throw Error(ErrorKind::io, "{}: cannot be written: {}; nothing was changed", target_.string(), why);
  }
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

}  // namespace patchioner
