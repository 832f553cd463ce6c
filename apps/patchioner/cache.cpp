// patchioner cache stats | prune | verify: what runs have computed and kept.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "cache/stage_cache.hpp"
#include "commands.hpp"
#include "support/byte_size.hpp"
#include "support/progress.hpp"

namespace patchioner {
namespace {

/// A command only looks at a cache that is there: a mistyped folder is not made.
StageCache open_cache(const std::string& folder) {
  if (!std::filesystem::is_directory(folder)) {
    throw Error(ErrorKind::usage, "{}: there is no such folder; name the folder of a cache with --folder",
                folder);
  }
  return StageCache({.folder = folder});
}

void add_folder(CLI::App& command, std::string& folder) {
  command.add_option("--folder", folder, "The folder of the cache, cache.folder of sweeps")
      ->capture_default_str();
}

/// As strftime has it: LibTorch's fmt is used without its library, which its calendar needs.
std::string time_text(std::filesystem::file_time_type time, const char* format, bool local) {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::system_clock::duration>(
          std::chrono::file_clock::to_sys(time)));
  std::tm parts{};
  (local ? ::localtime_r : ::gmtime_r)(&seconds, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof(text), format, &parts)};
}

std::string shown_time(std::filesystem::file_time_type time) {
  return time_text(time, "%Y-%m-%d %H:%M", /*local=*/true);
}

/// Hours, minutes and seconds.
std::string shown_seconds(double seconds) {
  const auto whole = static_cast<uint64_t>(std::llround(seconds));
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string entries_and_bytes(size_t entries, uint64_t bytes) {
  return fmt::format("{} {}, {}", entries, entries == 1 ? "entry" : "entries", format_bytes(bytes));
}

uint64_t bytes_of(const std::vector<StageEntryInfo>& entries) {
  uint64_t bytes = 0;
  for (const StageEntryInfo& info : entries) {
    bytes += info.bytes;
  }
  return bytes;
}

// --- stats

/// What the entries of a stage come to.
struct Sum {
  size_t entries = 0;
  size_t unfinished = 0;  ///< of the entries
  uint64_t bytes = 0;
  double seconds = 0;
  std::filesystem::file_time_type last_used = std::filesystem::file_time_type::min();

  void add(const StageEntryInfo& info) {
    ++entries;
    unfinished += info.complete ? 0 : 1;
    bytes += info.bytes;
    seconds += info.seconds;
    last_used = std::max(last_used, info.last_used);
  }
};

nlohmann::ordered_json to_json(const Sum& sum) {
  nlohmann::ordered_json json = {{"entries", sum.entries},
                                 {"unfinished", sum.unfinished},
                                 {"bytes", sum.bytes},
                                 {"seconds", sum.seconds},
                                 {"last_used", nullptr}};
  if (sum.entries > 0) {
    json["last_used"] = time_text(sum.last_used, "%Y-%m-%dT%H:%M:%SZ", /*local=*/false);
  }
  return json;
}

void print_row(std::string_view name, const Sum& sum) {
  fmt::print("{:<10} {:>8} {:>11} {:>10} {:>11}  {}\n", name, sum.entries, sum.unfinished,
             format_bytes(sum.bytes), shown_seconds(sum.seconds),
             sum.entries > 0 ? shown_time(sum.last_used) : "-");
}

void run_stats(const std::string& folder, bool as_json) {
  Sum all;
  Sum of_stage[std::size(kStages)];
  for (const StageEntryInfo& info : open_cache(folder).list()) {
    all.add(info);
    of_stage[static_cast<size_t>(info.key.stage)].add(info);
  }
  if (as_json) {
    nlohmann::ordered_json json = {{"folder", folder}};
    json.update(to_json(all));
    for (const Stage stage : kStages) {
      json["stages"][std::string(to_string(stage))] = to_json(of_stage[static_cast<size_t>(stage)]);
    }
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  fmt::print("{}: {}\n", folder, entries_and_bytes(all.entries, all.bytes));
  fmt::print("{:<10} {:>8} {:>11} {:>10} {:>11}  {}\n", "stage", "entries", "unfinished", "size", "took",
             "last used");
  for (const Stage stage : kStages) {
    print_row(to_string(stage), of_stage[static_cast<size_t>(stage)]);
  }
  print_row("all", all);
}

void add_stats(CLI::App& cache) {
  CLI::App* command = cache.add_subcommand("stats", "Show how much is kept of which stage");
  auto folder = std::make_shared<std::string>("runs/cache");
  auto json = std::make_shared<bool>(false);
  add_folder(*command, *folder);
  command->add_flag("--json", *json, "One JSON object on standard output");
  command->footer("Example:\n  patchioner cache stats --folder runs/cache");
  command->callback([folder, json] { run_stats(*folder, *json); });
}

// --- prune

struct PruneArguments {
  std::string folder = "runs/cache";
  std::string size;
  std::optional<double> days;
  std::vector<std::string> stages;
  bool unfinished = false;
};

StagePruning pruning_of(const PruneArguments& arguments) {
  StagePruning pruning;
  for (const std::string& name : arguments.stages) {
    pruning.stages.push_back(*stage_named(name));
  }
  pruning.unfinished = arguments.unfinished;
  if (arguments.days) {
    constexpr double kSecondsOfDay = 24 * 60 * 60;
    pruning.unused_for = std::chrono::seconds(std::llround(*arguments.days * kSecondsOfDay));
  }
  if (!arguments.size.empty()) {
    pruning.bytes = parse_bytes(arguments.size);
  }
  if (!pruning.unfinished && !pruning.unused_for && !pruning.bytes) {
    throw Error(ErrorKind::usage,
                "it is not said what should go; give --to SIZE, --older DAYS or --unfinished (--to 0 takes "
                "everything that is not in use)");
  }
  return pruning;
}

void run_prune(const PruneArguments& arguments) {
  const StagePruning pruning = pruning_of(arguments);
  StageCache cache = open_cache(arguments.folder);
  const std::vector<StageEntryInfo> gone = cache.prune(pruning);
  for (const StageEntryInfo& info : gone) {
    fmt::print("{}: {}{}, last used {}\n", to_string(info.key), info.complete ? "" : "unfinished, ",
               format_bytes(info.bytes), shown_time(info.last_used));
  }
  const std::vector<StageEntryInfo> left = cache.list();
  fmt::print("{}: {} went; {} left\n", arguments.folder, entries_and_bytes(gone.size(), bytes_of(gone)),
             entries_and_bytes(left.size(), bytes_of(left)));
}

void add_prune(CLI::App& cache) {
  CLI::App* command = cache.add_subcommand("prune", "Make room: take away what was not used for longest");
  auto arguments = std::make_shared<PruneArguments>();
  add_folder(*command, arguments->folder);
  command->add_option("--to", arguments->size,
                      "Take entries away until so much is left, such as 10GB; 0 takes all that can go");
  command->add_option("--older", arguments->days, "Take away what was not used for so many days")
      ->check(CLI::Range(0.0, 36500.0));
  command->add_flag("--unfinished", arguments->unfinished,
                    "Take away what was begun, is not finished, and is computed by nobody now");
  std::vector<std::string> names;
  for (const Stage stage : kStages) {
    names.emplace_back(to_string(stage));
  }
  command->add_option("--stage", arguments->stages, "Only entries of this stage; may be repeated")
      ->check(CLI::IsMember(names))
      ->allow_extra_args(false);
  command->footer(
      "Example:\n  patchioner cache prune --to 50GB\n\n"
      "Entries that a running sweep has open or computes stay. What goes is computed again when it is "
      "needed.");
  command->callback([arguments] { run_prune(*arguments); });
}

// --- verify

struct VerifyArguments {
  std::string folder = "runs/cache";
  bool remove = false;
  bool quiet = false;
};

void run_verify(const VerifyArguments& arguments, CommandLine& line) {
  Progress::set_enabled(!arguments.quiet);
  StageCache cache = open_cache(arguments.folder);
  std::vector<StageEntryInfo> entries = cache.list();
  std::erase_if(entries, [](const StageEntryInfo& info) { return !info.complete; });
  Progress progress("verify", "entries", entries.size());
  size_t damaged = 0;
  for (const StageEntryInfo& info : entries) {
    const std::vector<std::string> problems = cache.problems(info.key);
    if (!problems.empty()) {
      ++damaged;
      fmt::print("{}: {}{}{}\n", to_string(info.key), problems.front(),
                 problems.size() > 1 ? fmt::format(" (and {} more)", problems.size() - 1) : "",
                 arguments.remove ? "; removed" : "");
      if (arguments.remove) {
        cache.remove(info.key);
      }
    }
    progress.advance();
  }
  progress.finish();
  fmt::print("{}: {} looked at, {} damaged\n", arguments.folder,
             entries_and_bytes(entries.size(), bytes_of(entries)), damaged);
  line.exit_code = damaged > 0 ? 1 : 0;
}

void add_verify(CLI::App& cache, CommandLine& line) {
  CLI::App* command =
      cache.add_subcommand("verify", "Read every finished entry whole and say what is damaged");
  auto arguments = std::make_shared<VerifyArguments>();
  add_folder(*command, arguments->folder);
  command->add_flag("--remove", arguments->remove,
                    "Take damaged entries away, so that they are computed again");
  command->add_flag("-q,--quiet", arguments->quiet, "No progress line");
  command->footer(
      "Example:\n  patchioner cache verify --remove\n\n"
      "The exit code is 1 when something was damaged, removed or not. Sweeps check what they use by "
      "themselves.");
  command->callback([arguments, &line] { run_verify(*arguments, line); });
}

}  // namespace

void add_cache_command(CommandLine& line) {
  CLI::App* command = line.app.add_subcommand("cache", "See, shrink and check what sweeps keep");
  command->require_subcommand(1);
  add_stats(*command);
  add_prune(*command);
  add_verify(*command, line);
}

}  // namespace patchioner
