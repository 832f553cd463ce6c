// What a StageCache and its leases share.
#pragma once

#include "cache/cache_folder.hpp"
#include "cache/lease_keeper.hpp"
#include "cache/stage_cache.hpp"

namespace patchioner {

struct CacheCore {
  explicit CacheCore(StageCacheOptions given)
      : options(std::move(given)),
        folder(options.folder),
        watch(options.lease_seconds),
        keeper(options.lease_seconds) {}

  StageCacheOptions options;
  CacheFolder folder;
  LeaseWatch watch;
  LeaseKeeper keeper;
};

}  // namespace patchioner
