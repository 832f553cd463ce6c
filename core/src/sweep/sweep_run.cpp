#include "sweep/sweep_run.hpp"

#include <malloc.h>

#include <chrono>
#include <cstring>
#include <map>
#include <patchioner/error.hpp>
#include <set>
#include <thread>

#include "runtime/caption_images.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/output_folder.hpp"
#include "support/printable.hpp"
#include "support/progress.hpp"
#include "sweep/run_folder.hpp"
#include "sweep/stage_log.hpp"
#include "sweep/stage_work.hpp"
#include "sweep/sweep_folder.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

// Another process's stage is looked at so often.
constexpr auto kWait = std::chrono::milliseconds(200);
// An entry that is damaged again and again is a broken disk.
constexpr int kMostRepairs = 3;
// Each entry that is held takes a file descriptor.
constexpr size_t kMostHeld = 400;

enum class State {
  open,
  done,
  failed,
  elsewhere,  ///< another process computes it
};

/// Whether nothing can be written any more, whatever the stage.
bool is_full_disk(const Error& error) {
  return error.kind() == ErrorKind::io &&
         (std::string_view(error.what()).find(std::strerror(ENOSPC)) != std::string::npos ||
          std::string_view(error.what()).find(std::strerror(EDQUOT)) != std::string::npos);
}

class SweepRunner {
 public:
  SweepRunner(const SweepPlan& plan, SweepHost& host, StageCache& cache, const SweepRunOptions& options)
      : plan_(plan),
        cache_(cache),
        options_(options),
        files_(plan.sweep.output),
        plugins_(host.plugins()),
        states_(plan.stages.size(), State::open),
        failures_(plan.stages.size()) {}

  SweepOutcome run() {
    const auto start = std::chrono::steady_clock::now();
    const PoliteInterrupt polite;
    tell_changes();
    note_missing_runs();
    find_needed();
    outcome_.needed = needed_;
    Progress progress("sweep " + plan_.sweep.name, "stages", needed_.size());
    progress_ = &progress;
    work();
    note_failed_runs();
    progress.finish();
    progress_ = nullptr;
    held_.clear();
    keep_limit(/*at_once=*/true);
    outcome_.finished = !interrupted() && !stopped_;
    outcome_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::sort(outcome_.failed.begin(), outcome_.failed.end());
    return std::move(outcome_);
  }

 private:
  void tell_changes() const {
    std::set<std::string> told;
    for (const size_t place : options_.runs) {
      for (const std::string& file : changed_files(plan_.runs[place])) {
        if (told.insert(file).second) {
          log(LogLevel::warning,
              "{}: has changed since results were made with it; what depends on it is computed anew", file);
        }
      }
    }
  }

  void note_missing_runs() {
    for (const size_t place : options_.runs) {
      const PlannedRun& run = plan_.runs[place];
      if (!run.missing.empty()) {
        // Results from when it was there stay.
        if (const auto status = read_run_status(run.folder); !status || !status->finished) {
          publish_failure(plan_, run, fmt::format("not there: {}", run.missing.front()), {});
        }
        outcome_.failed.push_back(place);
        stopped_ |= options_.fail_fast;
      }
    }
  }

  /// Where the sweep ends with its first failure, no later stage has told of it.
  void note_failed_runs() {
    for (const size_t place : options_.runs) {
      const PlannedRun& run = plan_.runs[place];
      const auto failed = std::find_if(run.stages.begin(), run.stages.end(),
                                       [&](size_t stage) { return states_[stage] == State::failed; });
      const bool is_noted =
          std::find(outcome_.failed.begin(), outcome_.failed.end(), place) != outcome_.failed.end();
      if (failed != run.stages.end() && !is_noted) {
        publish_failure(plan_, run, failures_[*failed].sentence, failures_[*failed].log);
        outcome_.failed.push_back(place);
      }
      outcome_.published += !run.stages.empty() && is_published(plan_, run) ? 1 : 0;
    }
  }

  /// What is not in the cache, for the runs that have not come to an end.
  void find_needed() {
    std::vector<size_t> open;
    for (const size_t place : options_.runs) {
      const PlannedRun& run = plan_.runs[place];
      if (!run.stages.empty() && states_[run.stages.back()] != State::failed) {
        open.push_back(place);
      }
    }
    needed_ = stages_to_compute(plan_, open, cache_);
    const std::set<size_t> needed(needed_.begin(), needed_.end());
    for (size_t place = 0; place < plan_.stages.size(); ++place) {
      if (states_[place] != State::failed) {
        states_[place] = needed.contains(place) ? State::open : State::done;
      }
    }
    readers_.assign(plan_.stages.size(), 0);
    for (const size_t place : needed_) {
      for (const size_t input : inputs_of(place)) {
        readers_[input] += states_[place] == State::open ? 1 : 0;
      }
    }
  }

  void work() {
    publish();
    while (!stopped_ && !interrupted()) {
      bool progressed = false;
      bool waiting = false;
      for (const size_t place : needed_) {
        if (states_[place] == State::done || states_[place] == State::failed) {
          continue;
        }
        const State before = states_[place];
        if (!attempt(place)) {
          return;
        }
        progressed |= states_[place] != before && states_[place] != State::elsewhere;
        waiting |= states_[place] == State::elsewhere;
        if (needed_anew_) {
          break;
        }
      }
      if (std::exchange(needed_anew_, false)) {
        find_needed();
        continue;
      }
      if (!progressed && !waiting) {
        return;
      }
      if (!progressed) {
        std::this_thread::sleep_for(kWait);
      }
    }
  }

  /// False when the work ends here.
  bool attempt(size_t place) {
    const PlannedStage& stage = plan_.stages[place];
    for (const size_t input : stage.inputs) {
      if (states_[input] == State::failed) {
        fail(place, failures_[input].sentence, failures_[input].log);
        return !stopped_;
      }
      if (states_[input] != State::done) {
        states_[place] = State::elsewhere;  // behind one that is
        return true;
      }
    }
    std::unique_ptr<StageLease> lease;
    if (!cache_.contains(stage.key)) {
      lease = cache_.acquire(stage.key);
    }
    if (lease == nullptr) {
      states_[place] = cache_.contains(stage.key) ? State::done : State::elsewhere;
      if (states_[place] == State::done) {
        came_to_an_end(place);
      }
      return true;
    }
    return compute(place, *lease);
  }

  bool compute(size_t place, StageLease& lease) {
    const PlannedStage& stage = plan_.stages[place];
    const StageLog log_lines;
    try {
      const StageWork work{
          plan_, stage, cache_, lease, plugins_, scoring_, [&](size_t done) { show(stage, done); }};
      show(stage, 0);
      switch (work_on(work)) {
        case StageEnd::done:
          outcome_.computed.push_back(place);
          states_[place] = State::done;
          came_to_an_end(place);
          break;
        case StageEnd::lost:
          log(LogLevel::warning, "{}: another process has taken this stage over; its result counts",
              to_string(stage.key));
          states_[place] = State::elsewhere;
          break;
        case StageEnd::interrupted:
          return false;
      }
    } catch (const DamagedEntry& damage) {
      repair(place, damage);
    } catch (const Error& error) {
      if (is_full_disk(error)) {
        throw;
      }
      fail(place, error.what(), write_log(stage, error.what(), log_lines.lines()));
    } catch (const std::exception& error) {
      fail(place, sentence_of(error), write_log(stage, sentence_of(error), log_lines.lines()));
    }
    ::malloc_trim(0);
    return !stopped_;
  }

  /// Takes the damaged entry away, and computes it again before the stage that reads it.
  void repair(size_t place, const DamagedEntry& damage) {
    if (++repairs_[damage.key()] > kMostRepairs) {
      fail(place,
           fmt::format("{}; it was computed {} times and is damaged again", damage.what(), kMostRepairs), {});
      return;
    }
    take_away(damage);
  }

  void take_away(const DamagedEntry& damage) {
    log(LogLevel::warning, "{}; it is computed again", printable(damage.what()));
    std::erase_if(held_, [&](const auto& one) { return plan_.stages[one.first].key == damage.key(); });
    cache_.remove(damage.key());
    needed_anew_ = true;
  }

  void fail(size_t place, const std::string& sentence, const fs::path& log_file) {
    states_[place] = State::failed;
    failures_[place] = {sentence, log_file};
    came_to_an_end(place);
    stopped_ |= options_.fail_fast;
  }

  fs::path write_log(const PlannedStage& stage, const std::string& sentence, const std::string& lines) const {
    const fs::path file =
        files_.logs / fmt::format("{}-{}.log", to_string(stage.key.stage), stage.key.digest.substr(0, 12));
    make_folder(files_.logs);
    write_file(file, fmt::format("{} failed: {}\n\nfirst needed by {}\n\n{}\n{}", to_string(stage.key),
                                 sentence, plan_.run_name(plan_.runs[stage.run]), lines, stage.settings));
    log(LogLevel::warning, "{} of {} failed: {}", to_string(stage.key.stage),
        plan_.run_name(plan_.runs[stage.run]), printable(sentence));
    return file;
  }

  void came_to_an_end(size_t place) {
    progress_->advance();
    publish_stage(place);
    hold(place);
    keep_limit(/*at_once=*/plan_.stages[place].key.stage == Stage::encode);
  }

  /// Looking at all entries of a large cache takes a while, so that it is not done behind each of many small
  /// stages.
  void keep_limit(bool at_once) {
    constexpr auto kInterval = std::chrono::seconds(5);
    const auto now = std::chrono::steady_clock::now();
    if (at_once || now - limit_kept_ >= kInterval) {
      limit_kept_ = now;
      cache_.keep_limit();
    }
  }

  /// Each once.
  std::set<size_t> inputs_of(size_t place) const {
    return {plan_.stages[place].inputs.begin(), plan_.stages[place].inputs.end()};
  }

  /// What others still wait for must not go when room is made: it is held, and let go with the last of these.
  void hold(size_t ended) {
    std::set<size_t> touched = inputs_of(ended);
    for (const size_t input : touched) {
      --readers_[input];
    }
    touched.insert(ended);
    for (const size_t place : touched) {
      if (readers_[place] == 0) {
        held_.erase(place);
      } else if (states_[place] == State::done && !held_.contains(place) && held_.size() < kMostHeld) {
        try {
          held_[place] = cache_.open(plan_.stages[place].key);
        } catch (const DamagedEntry&) {
          // whoever reads it has it computed again
        }
      }
    }
  }

  void show(const PlannedStage& stage, size_t done) {
    progress_->note(fmt::format("{} {} {}/{} for {}", to_string(stage.key.stage), stage.plugin, done,
                                stage.amount, plan_.run_name(plan_.runs[stage.run])));
    progress_->advance(0);
  }

  /// Runs whose scores were there before.
  void publish() {
    for (const size_t place : options_.runs) {
      const PlannedRun& run = plan_.runs[place];
      if (!run.stages.empty() && states_[run.stages.back()] == State::done) {
        publish_finished(run);
      }
    }
  }

  void publish_finished(const PlannedRun& run) {
    if (is_published(plan_, run)) {
      return;
    }
    try {
      publish_run(plan_, run, cache_);
    } catch (const DamagedEntry& damage) {
      if (++repairs_[damage.key()] > kMostRepairs) {
        throw Error(ErrorKind::io, "{}; it was computed {} times and is damaged again", damage.what(),
                    kMostRepairs);
      }
      take_away(damage);
    }
  }

  /// The runs that end with this stage, or cannot go on behind it.
  void publish_stage(size_t place) {
    if (plan_.stages[place].key.stage != Stage::score) {
      return;
    }
    for (const size_t one : options_.runs) {
      const PlannedRun& run = plan_.runs[one];
      if (run.stages.empty() || run.stages.back() != place) {
        continue;
      }
      if (states_[place] == State::done) {
        publish_finished(run);
      } else {
        publish_failure(plan_, run, failures_[place].sentence, failures_[place].log);
        outcome_.failed.push_back(one);
      }
    }
  }

  struct Failure {
    std::string sentence;
    fs::path log;
  };

  const SweepPlan& plan_;
  StageCache& cache_;
  const SweepRunOptions& options_;
  SweepFiles files_;
  PluginPool plugins_;
  ScoringMemory scoring_;
  std::vector<State> states_;
  std::vector<Failure> failures_;
  std::vector<size_t> needed_;
  std::vector<size_t> readers_;  ///< of each stage, how many still wait for it
  std::map<StageKey, int> repairs_;
  std::chrono::steady_clock::time_point limit_kept_;
  std::map<size_t, std::shared_ptr<const StageEntry>> held_;  ///< by the stage's place
  SweepOutcome outcome_;
  Progress* progress_ = nullptr;
  bool needed_anew_ = false;
  bool stopped_ = false;
};

}  // namespace

std::vector<size_t> failed_runs(const SweepPlan& plan) {
  std::vector<size_t> failed;
  for (size_t place = 0; place < plan.runs.size(); ++place) {
    const std::optional<RunStatus> status = read_run_status(plan.runs[place].folder);
    if (status && !status->finished) {
      failed.push_back(place);
    }
  }
  return failed;
}

SweepOutcome run_sweep(const SweepPlan& plan, SweepHost& host, StageCache& cache,
                       const SweepRunOptions& options) {
  return SweepRunner(plan, host, cache, options).run();
}

}  // namespace patchioner
