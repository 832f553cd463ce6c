// Leases of one cache: those that this process holds, kept alive by a thread, and those of others, watched.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cache/cache_folder.hpp"
#include "cache/lease_file.hpp"

namespace patchioner {

/// A lease of this process. [any-thread]
class HeldLease {
 public:
  /// Writes the file, in place of one of a dead holder. The cache is locked by the caller. Throws an Error of
  /// kind io that says how to make room.
  HeldLease(const CacheLock& lock, const CacheFolder& folder, const StageKey& key, double lease_seconds);
  ~HeldLease();
  HeldLease(const HeldLease&) = delete;
  HeldLease& operator=(const HeldLease&) = delete;

  const std::string& token() const { return holder_.token; }
  /// Whether the file is still this lease's. What follows from it holds only while the cache is locked.
  bool is_held() const;
  /// A sign of life. Without a lock, since it goes into the file that was opened: when another process has
  /// put its own in that place, nobody sees it.
  void beat();
  /// Takes the file away; false when it is no longer this lease's.
  bool give_back(const CacheLock& lock);

 private:
  std::filesystem::path file_;
  Holder holder_;
  int descriptor_ = -1;
};

/// Whether others still live. [any-thread]
class LeaseWatch {
 public:
  explicit LeaseWatch(double lease_seconds) : lease_seconds_(lease_seconds) {}

  /// Whether there is a lease whose holder may be alive: not one of a process of this machine that has ended,
  /// and not one that has looked the same to this object for the lease's time, by this process's own clock.
  bool is_held(const std::filesystem::path& file);

 private:
  struct Seen {
    std::string text;
    std::chrono::steady_clock::time_point since;
  };
  double lease_seconds_;
  std::mutex mutex_;
  std::map<std::filesystem::path, Seen> seen_;
};

/// Gives signs of life for leases, four in their time. [any-thread]
class LeaseKeeper {
 public:
  explicit LeaseKeeper(double lease_seconds);
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  void keep(std::shared_ptr<HeldLease> lease);
  void forget(const std::shared_ptr<HeldLease>& lease);

 private:
  void run();
  std::chrono::duration<double> pause_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::vector<std::shared_ptr<HeldLease>> leases_;
  std::thread thread_;  ///< started with the first lease
};

}  // namespace patchioner
