#include "cache/stage_lease.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>
#include <system_error>

#include "cache/entry_record.hpp"
#include "cache/part_log.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

/// Takes a file away that did not get its name.
class Leftover {
 public:
  explicit Leftover(std::filesystem::path path) : path_(std::move(path)) {}
  ~Leftover() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Leftover(const Leftover&) = delete;
  Leftover& operator=(const Leftover&) = delete;

 private:
  std::filesystem::path path_;
};

void remove_all_but(const PartList& parts, const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> strange;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name != kPartLogName && parts.find(name) == nullptr) {
      strange.push_back(entry->path());
    }
  }
  for (const std::filesystem::path& path : strange) {
    std::filesystem::remove_all(path, error);
  }
}

/// A disk that is full may say so only now.
void flush(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const bool flushed = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int reason = errno;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  if (!flushed) {
    throw Error(ErrorKind::io, "{}: cannot be written: {}", file.string(), std::strerror(reason));
  }
}

/// Also a quota that is used up, and a file that may not grow.
bool says_no_room(const std::error_code& code) {
  return code == std::errc::no_space_on_device || code == std::errc::file_too_large ||
         code == std::error_condition(EDQUOT, std::generic_category());
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

StageLease::State::State(std::shared_ptr<CacheCore> cache, StageKey entry, std::shared_ptr<HeldLease> lease)
    : core(std::move(cache)), key(std::move(entry)), folder(core->folder.entry(key)), held(std::move(lease)) {
  core->keeper.keep(held);
}

void StageLease::State::go_on() {
  PartHistory history = read_part_log(core->folder.part_log(key));
  parts = std::move(history.parts);
  earlier_seconds = history.seconds;
  remove_all_but(parts, folder);
}

bool StageLease::State::keep(const std::string& what, const std::function<bool()>& action) const {
  try {
    return action();
  } catch (const std::system_error& error) {
    return not_kept(what, error.what());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::io) {
      throw;
    }
    return not_kept(what, error.what());
  }
}

bool StageLease::State::keep_file(const std::string& what, const std::filesystem::path& file,
                                  const std::function<void(const std::filesystem::path&)>& write) const {
  const auto is_about_file = [&](const std::exception& error) {
    return std::string_view(error.what()).find(file.string()) != std::string_view::npos;
  };
  try {
    write(file);
    return true;
  } catch (const std::system_error& error) {
    if (!is_about_file(error) && !says_no_room(error.code())) {
      throw;
    }
    return not_kept(what, error.what());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::io || !is_about_file(error)) {
      throw;
    }
    return not_kept(what, error.what());
  }
}

bool StageLease::State::not_kept(const std::string& what, const char* reason) const {
  if (held->is_held()) {
    throw core->folder.cannot_keep(what, reason);
  }
  return false;
}

StageLease::State::~State() {
  core->keeper.forget(held);
  if (finished) {
    return;
  }
  try {
    const CacheLock lock(core->folder);
    if (held->give_back(lock)) {
      std::error_code not_empty;
      std::filesystem::remove(folder, not_empty);
    }
  } catch (const Error& error) {
    log(LogLevel::warning, "{}: the lease cannot be given back: {}", to_string(key), error.what());
  }
}

StageLease::StageLease(std::unique_ptr<State> state) : state_(std::move(state)) {}
StageLease::~StageLease() = default;

const StageKey& StageLease::key() const {
  return state_->key;
}

bool StageLease::is_held() const {
  return !state_->finished && state_->held->is_held();
}

bool StageLease::has(const std::string& part) const {
  const PartRecord* record = state_->parts.find(part);
  if (record == nullptr) {
    return false;
  }
  if (!state_->checked.contains(part)) {
    if (const std::string problem = part_problem(state_->folder / part, *record); !problem.empty()) {
      log(LogLevel::info, "{}; it is made again", problem);
      state_->parts.drop(part);
      return false;
    }
    state_->checked.insert(part);
  }
  return true;
}

std::filesystem::path StageLease::part(const std::string& name) const {
  if (!has(name)) {
    throw Error(ErrorKind::internal, "{}: there is no part '{}' yet", to_string(state_->key), name);
  }
  return state_->folder / name;
}

bool StageLease::put(const std::string& part,
                     const std::function<void(const std::filesystem::path&)>& write) {
  State& state = *state_;
  if (!is_part_name(part)) {
    throw Error(ErrorKind::internal, "'{}' is no name of a part", part);
  }
  if (!is_held()) {
    return false;
  }
  // Named after the lease: a holder that lost it must not write into the file of the one that has it now.
  const std::filesystem::path temporary =
      state.folder / fmt::format(".{}.{}.partial", part, state.held->token());
  const Leftover leftover(temporary);
  const std::string what = fmt::format("{} of {}", part, to_string(state.key));
  return state.keep_file(what, temporary, write) && state.keep(what, [&] {
    flush(temporary);
    PartRecord record = record_part(temporary, part);
    const CacheLock lock(state.core->folder);
    if (!state.held->is_held()) {
      return false;
    }
    // The line first: one without a file is left out by whoever goes on, a file without a line is taken away.
    log_part(state.core->folder.part_log(state.key), record, seconds_since(state.last_line),
             state.held->token());
    std::filesystem::rename(temporary, state.folder / part);
    state.parts.put(std::move(record));
    state.checked.insert(part);
    state.last_line = std::chrono::steady_clock::now();
    return true;
  });
}

void StageLease::note_seconds(double seconds) {
  State& state = *state_;
  try {
    const CacheLock lock(state.core->folder);
    if (!is_held()) {
      return;
    }
    log_seconds(state.core->folder.part_log(state.key), seconds, state.held->token());
    state.noted_seconds += seconds;
    state.last_line = std::chrono::steady_clock::now();
  } catch (const Error& error) {
    log(LogLevel::warning, "{}", error.what());
  }
}

bool StageLease::finish(const nlohmann::ordered_json& facts, double seconds) {
  State& state = *state_;
  if (!is_held()) {
    return false;
  }
  const std::filesystem::path temporary =
      state.folder / fmt::format(".{}.{}", kRecordName, state.held->token());
  const Leftover leftover(temporary);
  const EntryRecord record{state.earlier_seconds + state.noted_seconds + seconds, facts, state.parts};
  return state.keep(to_string(state.key), [&] {
    write_file(temporary, entry_record_text(state.key, record));
    const CacheLock lock(state.core->folder);
    if (!state.held->is_held()) {
      return false;
    }
    std::filesystem::rename(temporary, state.core->folder.record(state.key));
    state.finished = true;
    std::error_code ignored;
    std::filesystem::remove(state.core->folder.part_log(state.key), ignored);
    state.held->give_back(lock);
    return true;
  });
}

}  // namespace patchioner
