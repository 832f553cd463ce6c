// What stages of runs have computed, on disk under the digest of all that decides it, so that nothing is
// computed twice: not by two rows of a sweep, not by two sweeps, not by two machines that share the folder.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchioner {

/// The stages of a run, in the order in which they follow.
enum class Stage { encode, aggregate, bridge, decode, score };
constexpr Stage kStages[] = {Stage::encode, Stage::aggregate, Stage::bridge, Stage::decode, Stage::score};
std::string_view to_string(Stage stage);
/// nullopt when there is no stage of that name.
std::optional<Stage> stage_named(std::string_view name);

/// What an entry is found by.
struct StageKey {
  Stage stage = Stage::encode;
  std::string digest;  ///< lower-case hexadecimal, of everything that decides the content

  friend auto operator<=>(const StageKey&, const StageKey&) = default;
};

/// "encode/0123abcd"
std::string to_string(const StageKey& key);

/// Content of an entry that is not what was written: thrown by StageEntry, caught by whoever can compute it
/// again.
class DamagedEntry : public std::runtime_error {
 public:
  DamagedEntry(StageKey key, const std::string& sentence)
      : std::runtime_error(sentence), key_(std::move(key)) {}
  const StageKey& key() const { return key_; }

 private:
  StageKey key_;
};

/// A finished entry, open for reading. While one lives the entry is not evicted (and a file descriptor is in
/// use). [any-thread]
class StageEntry {
 public:
  ~StageEntry();
  StageEntry(const StageEntry&) = delete;
  StageEntry& operator=(const StageEntry&) = delete;

  const StageKey& key() const;
  /// What StageLease::finish was given.
  const nlohmann::ordered_json& facts() const;
  double seconds() const;  ///< that computing it took, all processes together
  /// The names of the parts, in the order in which they were put.
  std::vector<std::string> parts() const;
  bool has(const std::string& part) const;
  /// The path of a part. Its size is checked each time, its SHA-256 the first time in this process; throws
  /// DamagedEntry when either is wrong or the file is gone.
  std::filesystem::path part(const std::string& name) const;

 private:
  friend class StageCache;
  struct State;
  explicit StageEntry(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The right to compute an entry, held by one process at a time and kept alive by a thread of its own. A
/// holder that slept too long has lost it to another: it notices at the next put() or finish(). [one-thread]
class StageLease {
 public:
  ~StageLease();  ///< gives the right back; parts that were put stay for whoever goes on
  StageLease(const StageLease&) = delete;
  StageLease& operator=(const StageLease&) = delete;

  const StageKey& key() const;
  /// Whether a part is there already, whole, from a process that was killed.
  bool has(const std::string& part) const;
  /// Writes a part: `write` makes the file that it is given, which is then checked in and gets its name.
  /// Throws Error: io, saying how to make room, when the file cannot be written (which `write` tells by an
  /// Error of kind io or a std::system_error that names it, or by one of the latter that says that the disk
  /// is full), and whatever else `write` throws as it is; nothing is left of it then. False, with nothing
  /// kept, when the lease was lost. A name has no '/' and does not begin with a dot.
  [[nodiscard]] bool put(const std::string& part,
                         const std::function<void(const std::filesystem::path&)>& write);
  /// The path of a part that has() found or put() wrote.
  std::filesystem::path part(const std::string& name) const;
  /// Completes the entry; from now on contains() is true. `facts` is kept with it, and may hold anything.
  /// `seconds` is what this holder has spent since it last noted some; those of earlier holders are added:
  /// what they noted, and what passed after that until their last part. False, with nothing kept, when the
  /// lease was lost. Error as put().
  [[nodiscard]] bool finish(const nlohmann::ordered_json& facts, double seconds);
  /// Notes time spent since this was last called, for whoever goes on: before a lease is given back
  /// unfinished, as after an interrupt. What cannot be written is not noted.
  void note_seconds(double seconds);
  /// False from the moment on that another process has it; looked at between pieces of long work.
  bool is_held() const;

 private:
  friend class StageCache;
  struct State;
  explicit StageLease(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// One entry as `cache stats` shows it.
struct StageEntryInfo {
  StageKey key;
  uint64_t bytes = 0;
  bool complete = false;
  double seconds = 0;
  std::filesystem::file_time_type last_used;
  nlohmann::ordered_json facts;  ///< empty of an incomplete one
};

/// What goes from a cache. Nothing that is in use or being computed does.
struct StagePruning {
  std::vector<Stage> stages;                       ///< only entries of these count and go; empty: of all
  bool unfinished = false;                         ///< all that are not finished
  std::optional<std::chrono::seconds> unused_for;  ///< all that were last used so long ago
  /// After those, the unfinished and then the least recently used ones, until so many bytes are left.
  std::optional<uint64_t> bytes;
};

struct CacheCore;

struct StageCacheOptions {
  std::filesystem::path folder;
  uint64_t limit = 0;  ///< bytes; 0: none
  double lease_seconds =
      60;  ///< without a sign of life, by the clock of whoever waits, a holder elsewhere is dead
};

/// A folder <stage>/<digest>/ an entry. Several processes, on several machines, may use one folder at once;
/// what they agree by are files and file locks, and no two clocks are ever compared. [any-thread]
class StageCache {
 public:
  /// Makes the folder and marks it as a cache. Throws an Error of kind io when it cannot be made, and of kind
  /// usage when it is a folder with other things in it, or when lease_seconds is not positive.
  explicit StageCache(StageCacheOptions options);
  ~StageCache();
  StageCache(const StageCache&) = delete;
  StageCache& operator=(const StageCache&) = delete;

  const std::filesystem::path& folder() const;
  bool contains(const StageKey& key) const;
  /// Opens a finished entry and notes that it was used; nullptr when there is none. Throws DamagedEntry when
  /// its list of parts cannot be read.
  std::shared_ptr<const StageEntry> open(const StageKey& key) const;
  /// The right to compute an entry; nullptr while another holder lives or when it is finished meanwhile. A
  /// holder on this machine that is no longer running, or one elsewhere that has given no sign of life for
  /// lease_seconds since this process first saw it, has lost it.
  std::unique_ptr<StageLease> acquire(const StageKey& key);
  /// Takes an entry away, finished or not, unless someone computes it; for damaged ones. Those who have it
  /// open meet a DamagedEntry at the next part(): what they have mapped stays.
  void remove(const StageKey& key);
  /// Takes least recently used entries away until `bytes` are left, or until all that are left are in use or
  /// being computed; returns how many bytes went. Unfinished ones without a holder go first.
  uint64_t shrink_to(uint64_t bytes);
  /// shrink_to the limit, when there is one.
  uint64_t keep_limit();
  /// The entries that went.
  std::vector<StageEntryInfo> prune(const StagePruning& pruning);
  /// All entries, by stage and digest. Files that are none of the cache's are left out.
  std::vector<StageEntryInfo> list() const;
  /// Sentences about what is wrong with an entry's files, each read whole; empty when all is well. An
  /// unfinished entry has no problems: whoever goes on with it looks at each part.
  std::vector<std::string> problems(const StageKey& key) const;

 private:
  std::shared_ptr<CacheCore> core_;  ///< leases keep it too
};

}  // namespace patchioner
