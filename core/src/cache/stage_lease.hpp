// The inside of StageLease.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "cache/cache_core.hpp"
#include "cache/part_list.hpp"
#include "cache/stage_cache.hpp"

namespace patchioner {

struct StageLease::State {
  State(std::shared_ptr<CacheCore> cache, StageKey entry, std::shared_ptr<HeldLease> lease);
  /// Gives the lease back unless the entry is finished.
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// Goes on where an earlier holder has stopped: reads its parts and takes away what it left half done.
  void go_on();
  /// Runs `action`, which writes something that is called `what` and says whether the lease was still held.
  /// When that fails for want of room or the like, it is either an Error that says how to make some, or
  /// false: whoever has the lease now takes unknown files away, perhaps from under `action`.
  bool keep(const std::string& what, const std::function<bool()>& action) const;
  /// The same for `write`, which makes `file` and does whatever else a part takes: what fails without a word
  /// of the file is none of the cache's failures, unless it says that there is no room.
  bool keep_file(const std::string& what, const std::filesystem::path& file,
                 const std::function<void(const std::filesystem::path&)>& write) const;

  std::shared_ptr<CacheCore> core;
  StageKey key;
  std::filesystem::path folder;
  std::shared_ptr<HeldLease> held;
  bool finished = false;

  PartList parts;
  std::set<std::string> checked;  ///< names of parts that are known to be whole
  double earlier_seconds = 0;     ///< of other holders
  double noted_seconds = 0;       ///< of this one
  std::chrono::steady_clock::time_point last_line = std::chrono::steady_clock::now();

 private:
  bool not_kept(const std::string& what, const char* reason) const;
};

}  // namespace patchioner
