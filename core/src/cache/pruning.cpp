// What there is in a cache, and what goes from it.
#include <algorithm>
#include <patchioner/error.hpp>

#include "cache/cache_core.hpp"
#include "cache/entry_record.hpp"
#include "cache/part_log.hpp"

namespace patchioner {
namespace {

using std::filesystem::path;

/// The entries of a folder; empty when it cannot be read.
std::vector<std::filesystem::directory_entry> entries_of(const path& folder) {
  std::vector<std::filesystem::directory_entry> entries;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    entries.push_back(*entry);
  }
  return entries;
}

uint64_t size_of(const path& file) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(file, error);
  return error ? 0 : size;
}

uint64_t bytes_of_files(const path& folder) {
  uint64_t bytes = 0;
  for (const auto& entry : entries_of(folder)) {
    bytes += size_of(entry.path());
  }
  return bytes;
}

std::filesystem::file_time_type changed(const path& file) {
  std::error_code error;
  const auto time = std::filesystem::last_write_time(file, error);
  return error ? std::filesystem::file_time_type::min() : time;
}

StageEntryInfo info_of(const CacheFolder& folder, const StageKey& key) {
  StageEntryInfo info;
  info.key = key;
  const path record_file = folder.record(key);
  std::error_code error;
  info.complete = std::filesystem::exists(record_file, error);
  if (!info.complete) {
    info.bytes = bytes_of_files(folder.entry(key));
    info.seconds = read_part_log(folder.part_log(key)).seconds;
    info.last_used = std::max(changed(folder.entry(key)), changed(folder.part_log(key)));
    return info;
  }
  info.last_used = changed(record_file);
  try {
    EntryRecord record = read_entry_record(key, record_file);
    info.bytes = size_of(record_file);
    for (const PartRecord& part : record.parts.all()) {
      info.bytes += part.bytes;
    }
    info.seconds = record.seconds;
    info.facts = std::move(record.facts);
  } catch (const DamagedEntry&) {
    info.bytes = bytes_of_files(folder.entry(key));
  }
  return info;
}

/// Under a name that is nobody's key, so that it is gone at once however long its files take.
path move_aside(const CacheLock&, const CacheFolder& folder, const StageKey& key) {
  path aside = folder.stage(key.stage) / fmt::format(".{}.{}{}", key.digest, random_token(), kRemovedEnd);
  std::error_code error;
  std::filesystem::remove(folder.lease(key), error);
  std::filesystem::rename(folder.entry(key), aside, error);
  return error ? path() : aside;
}

void remove_files(const path& aside) {
  std::error_code ignored;
  if (!aside.empty()) {
    std::filesystem::remove_all(aside, ignored);
  }
}

/// What killed processes were about to take away, and leases that they had not put into place.
void finish_removals(const CacheFolder& folder) {
  std::vector<path> abandoned;
  {
    const CacheLock lock(folder);  // a file of a lease has such a name only while its writer has the lock
    for (const Stage stage : kStages) {
      for (const auto& entry : entries_of(folder.stage(stage))) {
        if (entry.path().filename().string().starts_with('.')) {
          abandoned.push_back(entry.path());
        }
      }
    }
  }
  std::for_each(abandoned.begin(), abandoned.end(), remove_files);
}

/// False when the entry is in use, is being computed, or has gone.
bool evict(CacheCore& core, const StageEntryInfo& info) {
  std::unique_ptr<EntryLock> unused;
  if (info.complete) {
    unused = EntryLock::exclusive(core.folder.record(info.key));
    if (unused == nullptr) {
      return false;
    }
  }
  path aside;
  {
    const CacheLock lock(core.folder);
    std::error_code error;
    const bool complete = std::filesystem::exists(core.folder.record(info.key), error);
    if (complete != info.complete || (!complete && core.watch.is_held(core.folder.lease(info.key)))) {
      return false;
    }
    aside = move_aside(lock, core.folder, info.key);
  }
  remove_files(aside);
  return !aside.empty();
}

}  // namespace

std::vector<StageEntryInfo> StageCache::list() const {
  std::vector<StageEntryInfo> entries;
  for (const Stage stage : kStages) {
    for (const auto& entry : entries_of(core_->folder.stage(stage))) {
      const StageKey key{stage, entry.path().filename().string()};
      std::error_code error;
      if (!is_hexadecimal(key.digest) || !entry.is_directory(error)) {
        continue;
      }
      StageEntryInfo info = info_of(core_->folder, key);
      // Unless another process has taken it away meanwhile.
      if (info.complete || std::filesystem::exists(entry.path(), error)) {
        entries.push_back(std::move(info));
      }
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const StageEntryInfo& a, const StageEntryInfo& b) { return a.key < b.key; });
  return entries;
}

void StageCache::remove(const StageKey& key) {
  path aside;
  {
    const CacheLock lock(core_->folder);
    if (!contains(key) && core_->watch.is_held(core_->folder.lease(key))) {
      return;
    }
    aside = move_aside(lock, core_->folder, key);
  }
  remove_files(aside);
}

std::vector<StageEntryInfo> StageCache::prune(const StagePruning& pruning) {
  finish_removals(core_->folder);
  std::vector<StageEntryInfo> entries = list();
  std::erase_if(entries, [&](const StageEntryInfo& info) {
    return !pruning.stages.empty() &&
           std::find(pruning.stages.begin(), pruning.stages.end(), info.key.stage) == pruning.stages.end();
  });
  std::stable_sort(entries.begin(), entries.end(), [](const StageEntryInfo& a, const StageEntryInfo& b) {
    return std::pair(a.complete, a.last_used) < std::pair(b.complete, b.last_used);
  });
  uint64_t left = 0;
  for (const StageEntryInfo& info : entries) {
    left += info.bytes;
  }
  std::vector<StageEntryInfo> gone;
  const auto evict_where = [&](const auto& goes) {
    std::erase_if(entries, [&](const StageEntryInfo& info) {
      if (!goes(info) || !evict(*core_, info)) {
        return false;
      }
      left -= info.bytes;
      gone.push_back(info);
      return true;
    });
  };
  const auto now = std::filesystem::file_time_type::clock::now();
  evict_where([&](const StageEntryInfo& info) {
    return (pruning.unfinished && !info.complete) ||
           (pruning.unused_for && info.last_used <= now - *pruning.unused_for);
  });
  evict_where([&](const StageEntryInfo&) { return pruning.bytes && left > *pruning.bytes; });
  return gone;
}

uint64_t StageCache::shrink_to(uint64_t bytes) {
  StagePruning pruning;
  pruning.bytes = bytes;
  uint64_t gone = 0;
  for (const StageEntryInfo& info : prune(pruning)) {
    gone += info.bytes;
  }
  return gone;
}

uint64_t StageCache::keep_limit() {
  return core_->options.limit == 0 ? 0 : shrink_to(core_->options.limit);
}

}  // namespace patchioner
