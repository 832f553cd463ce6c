#include "cache/cache_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

#include "support/byte_size.hpp"
#include "support/file_lock.hpp"
#include "support/files.hpp"
#include "support/output_folder.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kTagName = "CACHEDIR.TAG";
// The first line is the Cache Directory Tagging Specification's (bford.info/cachedir); it makes backup
// programs leave the folder out. The second tells this cache from others.
constexpr std::string_view kSignature = "Signature: 8a477f597d28d172789f06886806bc55";
constexpr std::string_view kSentence = "# This folder is a stage cache of patchioner";

}  // namespace

bool is_stage_cache(const std::filesystem::path& root) {
  const std::filesystem::path tag = root / kTagName;
  std::error_code error;
  if (!std::filesystem::is_regular_file(tag, error)) {
    return false;
  }
  const std::string text = read_file(tag);
  return text.starts_with(kSignature) && text.find(kSentence) != std::string::npos;
}

namespace {

/// Something in the folder that another process which is marking it just now has not put there; empty:
/// nothing.
std::string foreign_name(const std::filesystem::path& root) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(root, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    // "CACHEDIR.TAG.<process>.partial" is the tag before it has its name.
    if (!(name.starts_with(kTagName) && name.ends_with(".partial"))) {
      return name;
    }
  }
  return {};
}

int lock(int descriptor, int operation) {
  int result = 0;
  do {
    result = ::flock(descriptor, operation);
  } while (result != 0 && errno == EINTR);
  return result;
}

/// Released by name and not only by closing: a child that was forked meanwhile has the descriptor too.
void unlock_and_close(int descriptor) {
  ::flock(descriptor, LOCK_UN);
  ::close(descriptor);
}

/// What the files below take up, as far as they can be looked at.
uint64_t bytes_below(const std::filesystem::path& root) {
  constexpr auto kPassOver = std::filesystem::directory_options::skip_permission_denied;
  uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(root, kPassOver, error), end;
       !error && entry != end; entry.increment(error)) {
    std::error_code no_file;
    const uintmax_t size = entry->file_size(no_file);
    bytes += no_file ? 0 : size;
  }
  return bytes;
}

/// "1.5GB", a word for a command line.
std::string size_word(uint64_t bytes) {
  std::string word = format_bytes(bytes);
  std::erase(word, ' ');
  return word;
}

}  // namespace

CacheFolder::CacheFolder(std::filesystem::path root) : root_(std::move(root)) {
  if (is_stage_cache(root_)) {
    return;
  }
  make_folder(root_);
  const std::string foreign = foreign_name(root_);
  if (is_stage_cache(root_)) {
    return;  // by another process, which has perhaps begun to fill it
  }
  if (!foreign.empty()) {
    throw Error(
        ErrorKind::usage,
        "{}: this folder has other things in it ({}) and is no cache; choose an empty or a new folder",
        root_.string(), foreign);
  }
  write_file(root_ / kTagName, fmt::format("{}\n{}: what its runs have computed. Everything in it can be "
                                           "computed again; `patchioner cache` shows it and makes room.\n",
                                           kSignature, kSentence));
}

std::filesystem::path CacheFolder::entry(const StageKey& key) const {
  if (!is_hexadecimal(key.digest)) {
    throw Error(ErrorKind::internal, "'{}' is no digest: it is not hexadecimal", key.digest);
  }
  return stage(key.stage) / key.digest;
}

std::filesystem::path CacheFolder::lease(const StageKey& key) const {
  std::filesystem::path file = entry(key);
  file += ".lease";
  return file;
}

Error CacheFolder::cannot_keep(std::string_view what, std::string_view reason) const {
  return Error(ErrorKind::io,
               "{}: the cache cannot keep {}: {}; if there is no room, make some (patchioner cache prune "
               "--folder {} --to {} takes half of it away) or choose another cache.folder",
               root_.string(), what, reason, root_.string(), size_word(bytes_below(root_) / 2));
}

bool is_hexadecimal(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789abcdef") == word.npos;
}

std::string random_token() {
  std::random_device device;
  std::string token;
  for (int i = 0; i < 4; ++i) {
    token += fmt::format("{:08x}", device());
  }
  return token;
}

CacheLock::CacheLock(const CacheFolder& folder) {
  const std::filesystem::path path = folder.lock_file();
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw folder.cannot_keep(path.filename().string(), std::strerror(errno));
  }
  if (lock(descriptor_, LOCK_EX) != 0) {
    const int reason = errno;
    ::close(descriptor_);
    throw Error(ErrorKind::io,
                "{}: cannot be locked: {}; put the cache on a file system that has locks (flock)",
                path.string(), std::strerror(reason));
  }
}

CacheLock::~CacheLock() {
  unlock_and_close(descriptor_);
}

std::unique_ptr<EntryLock> EntryLock::shared(const std::filesystem::path& record) {
  while (true) {
    const int descriptor = ::open(record.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 && (errno == ENOENT || errno == ENOTDIR)) {
      return nullptr;
    }
    if (descriptor < 0) {
      throw Error(ErrorKind::io, "{}: cannot be opened: {}", record.string(), std::strerror(errno));
    }
    std::unique_ptr<EntryLock> entry(new EntryLock(descriptor));
    // Waits only for someone who is about to take the entry away.
    if (lock(descriptor, LOCK_SH) != 0) {
      throw Error(ErrorKind::io,
                  "{}: cannot be locked: {}; put the cache on a file system that has locks (flock)",
                  record.string(), std::strerror(errno));
    }
    if (is_still_there(descriptor, record)) {
      return entry;
    }
  }
}

std::unique_ptr<EntryLock> EntryLock::exclusive(const std::filesystem::path& record) {
  // Open for writing, since network file systems ask that of an exclusive lock.
  const int descriptor = ::open(record.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) {
    return nullptr;
  }
  std::unique_ptr<EntryLock> entry(new EntryLock(descriptor));
  const bool ours = lock(descriptor, LOCK_EX | LOCK_NB) == 0 && is_still_there(descriptor, record);
  return ours ? std::move(entry) : nullptr;
}

EntryLock::~EntryLock() {
  unlock_and_close(descriptor_);
}

}  // namespace patchioner
