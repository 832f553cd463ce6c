#include "cache/lease_keeper.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "support/descriptor.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

/// nullopt when there is none.
std::optional<std::string> read_lease(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error) && !error) {
    return std::nullopt;
  }
  try {
    return read_file(file);
  } catch (const Error&) {
    return std::filesystem::exists(file, error) ? std::optional(std::string()) : std::nullopt;
  }
}

}  // namespace

HeldLease::HeldLease(const CacheLock&, const CacheFolder& folder, const StageKey& key, double lease_seconds)
    : file_(folder.lease(key)), holder_(new_holder(lease_seconds)) {
  // One name for all: only one process at a time has the cache's lock.
  const std::filesystem::path temporary = folder.stage(key.stage) / fmt::format(".{}.lease", key.digest);
  descriptor_ = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0 || !write_all(descriptor_, lease_text(holder_)) ||
      ::rename(temporary.c_str(), file_.c_str()) != 0) {
    const int reason = errno;
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
    ::unlink(temporary.c_str());
    throw folder.cannot_keep(file_.filename().string(), std::strerror(reason));
  }
}

HeldLease::~HeldLease() {
  ::close(descriptor_);
}

bool HeldLease::is_held() const {
  const std::optional<std::string> text = read_lease(file_);
  // Not parsed: it may be read in the middle of a beat, which does not touch the token.
  return text && text->find(holder_.token) != text->npos;
}

void HeldLease::beat() {
  ++holder_.beats;
  write_all_at(descriptor_, lease_text(holder_), 0);
}

bool HeldLease::give_back(const CacheLock&) {
  return is_held() && ::unlink(file_.c_str()) == 0;
}

bool LeaseWatch::is_held(const std::filesystem::path& file) {
  const auto now = std::chrono::steady_clock::now();
  std::optional<std::string> text = read_lease(file);
  const std::optional<Holder> holder = text ? holder_from(*text) : std::nullopt;
  const std::lock_guard lock(mutex_);
  if (!text || (holder && is_gone(*holder))) {
    seen_.erase(file);
    return false;
  }
  const auto [place, is_new] = seen_.try_emplace(file);
  Seen& seen = place->second;
  if (is_new || seen.text != *text) {
    seen = {*std::move(text), now};
  }
  // A holder that was told to be slower than this process is given its own time.
  const double patience = std::max(lease_seconds_, holder ? holder->lease_seconds : 0);
  return std::chrono::duration<double>(now - seen.since).count() < patience;
}

LeaseKeeper::LeaseKeeper(double lease_seconds) : pause_(lease_seconds / 4) {}

LeaseKeeper::~LeaseKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void LeaseKeeper::keep(std::shared_ptr<HeldLease> lease) {
  const std::lock_guard lock(mutex_);
  leases_.push_back(std::move(lease));
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { run(); });
  }
}

void LeaseKeeper::forget(const std::shared_ptr<HeldLease>& lease) {
  const std::lock_guard lock(mutex_);
  std::erase(leases_, lease);
}

void LeaseKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_.wait_for(lock, pause_, [this] { return stop_; })) {
    for (const std::shared_ptr<HeldLease>& lease : leases_) {
      lease->beat();
    }
  }
}

}  // namespace patchioner
