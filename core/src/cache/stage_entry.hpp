// The inside of StageEntry.
#pragma once

#include <memory>

#include "cache/cache_folder.hpp"
#include "cache/entry_record.hpp"
#include "cache/stage_cache.hpp"

namespace patchioner {

struct StageEntry::State {
  StageKey key;
  std::filesystem::path folder;
  std::unique_ptr<EntryLock> lock;
  EntryRecord record;
};

}  // namespace patchioner
