// Where the things of a stage cache lie (docs/formats/stage_cache.md), and the lock under which those change
// on which several processes must agree.
#pragma once

#include <filesystem>
#include <patchioner/error.hpp>
#include <string>
#include <string_view>

#include "cache/stage_cache.hpp"

namespace patchioner {

/// Whether the folder is there and marked as a stage cache.
bool is_stage_cache(const std::filesystem::path& root);

constexpr std::string_view kRecordName = "entry.json";
constexpr std::string_view kPartLogName = "parts.jsonl";
/// Of folders that are on their way out; they begin with a dot too.
constexpr std::string_view kRemovedEnd = ".removed";

/// The folder of a cache. Keys whose digest is not hexadecimal are a mistake of the caller: Error, internal.
class CacheFolder {
 public:
  /// Makes and marks it; errors as StageCache.
  explicit CacheFolder(std::filesystem::path root);

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path lock_file() const { return root_ / ".lock"; }
  std::filesystem::path stage(Stage stage) const { return root_ / to_string(stage); }
  std::filesystem::path entry(const StageKey& key) const;
  std::filesystem::path record(const StageKey& key) const { return entry(key) / kRecordName; }
  std::filesystem::path part_log(const StageKey& key) const { return entry(key) / kPartLogName; }
  std::filesystem::path lease(const StageKey& key) const;

  /// That something could not be written: names the cache, and how room is made in it: by half of what it
  /// holds.
  Error cannot_keep(std::string_view what, std::string_view reason) const;

 private:
  std::filesystem::path root_;
};

/// Whether a word is lower-case hexadecimal, as digests are.
bool is_hexadecimal(std::string_view word);

/// 32 random hexadecimal digits: names that no other process, on whatever machine, thinks of.
std::string random_token();

/// One process, and one thread of it, at a time; waits for its turn. Held for the few file operations between
/// looking at a lease and acting on it, never while bytes of parts are read or written. Throws an Error of
/// kind io when the file system has no locks.
class CacheLock {
 public:
  explicit CacheLock(const CacheFolder& folder);
  ~CacheLock();
  CacheLock(const CacheLock&) = delete;
  CacheLock& operator=(const CacheLock&) = delete;

 private:
  int descriptor_;
};

/// Keeps an entry from being evicted while it is read: a lock of its entry.json.
class EntryLock {
 public:
  /// For reading, beside other readers; nullptr when there is no such file. Throws an Error of kind io when
  /// it cannot be opened.
  static std::unique_ptr<EntryLock> shared(const std::filesystem::path& record);
  /// For taking it away; nullptr when it is in use, or is no longer there.
  static std::unique_ptr<EntryLock> exclusive(const std::filesystem::path& record);
  ~EntryLock();
  EntryLock(const EntryLock&) = delete;
  EntryLock& operator=(const EntryLock&) = delete;

 private:
  explicit EntryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace patchioner
