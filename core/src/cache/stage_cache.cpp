#include "cache/stage_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <patchioner/error.hpp>

#include "cache/cache_core.hpp"
#include "cache/stage_entry.hpp"
#include "cache/stage_lease.hpp"

namespace patchioner {
namespace {

StageCacheOptions checked(StageCacheOptions options) {
  if (!(options.lease_seconds > 0)) {
    throw Error(ErrorKind::usage, "lease_seconds is {}; it must be more than 0", options.lease_seconds);
  }
  return options;
}

}  // namespace

StageCache::StageCache(StageCacheOptions options)
    : core_(std::make_shared<CacheCore>(checked(std::move(options)))) {}
StageCache::~StageCache() = default;

const std::filesystem::path& StageCache::folder() const {
  return core_->folder.root();
}

bool StageCache::contains(const StageKey& key) const {
  struct stat status {};
  return ::stat(core_->folder.record(key).c_str(), &status) == 0;
}

std::shared_ptr<const StageEntry> StageCache::open(const StageKey& key) const {
  const std::filesystem::path file = core_->folder.record(key);
  std::unique_ptr<EntryLock> lock = EntryLock::shared(file);
  if (lock == nullptr) {
    return nullptr;
  }
  // Now, by the file system's clock. In a folder that is not ours to write the order is that of writing.
  ::utimensat(AT_FDCWD, file.c_str(), nullptr, 0);
  EntryRecord record = read_entry_record(key, file);
  return std::shared_ptr<const StageEntry>(new StageEntry(std::make_unique<StageEntry::State>(
      StageEntry::State{key, core_->folder.entry(key), std::move(lock), std::move(record)})));
}

std::unique_ptr<StageLease> StageCache::acquire(const StageKey& key) {
  const CacheFolder& folder = core_->folder;
  std::shared_ptr<HeldLease> held;
  {
    const CacheLock lock(folder);
    if (contains(key) || core_->watch.is_held(folder.lease(key))) {
      return nullptr;
    }
    std::error_code failed;
    std::filesystem::create_directories(folder.entry(key), failed);
    if (failed) {
      throw folder.cannot_keep(to_string(key), failed.message());
    }
    held = std::make_shared<HeldLease>(lock, folder, key, core_->options.lease_seconds);
  }
  auto state = std::make_unique<StageLease::State>(core_, key, std::move(held));
  state->go_on();
  return std::unique_ptr<StageLease>(new StageLease(std::move(state)));
}

std::vector<std::string> StageCache::problems(const StageKey& key) const {
  const std::filesystem::path file = core_->folder.record(key);
  const std::unique_ptr<EntryLock> lock = EntryLock::shared(file);
  if (lock == nullptr) {
    return {};
  }
  std::vector<std::string> sentences;
  try {
    const EntryRecord record = read_entry_record(key, file);
    for (const PartRecord& part : record.parts.all()) {
      const std::string problem = part_problem_in_full(core_->folder.entry(key) / part.name, part);
      if (!problem.empty()) {
        sentences.push_back(problem);
      }
    }
  } catch (const DamagedEntry& damaged) {
    sentences.emplace_back(damaged.what());
  }
  return sentences;
}

}  // namespace patchioner
