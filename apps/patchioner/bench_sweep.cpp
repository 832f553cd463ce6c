// patchioner bench sweep: what a sweep costs against the sum of its distinct stages, against running its
// configs one by one, and how long planning many rows takes.
#include <fmt/ranges.h>

#include <patchioner/error.hpp>

#include "bench.hpp"
#include "cache/stage_cache.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"
#include "sweep/sweep_export.hpp"
#include "sweep/sweep_plan.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

struct SweepBench {
  std::string file = "sweep/emoji_grid";
  std::vector<std::string> overrides;
  int64_t configs = 6;
  int64_t rows = 10'000;
};

constexpr const char* kProgram = "patchioner";

/// What all finished stages of the cache took, and how many of each there are.
struct CacheSum {
  double seconds = 0;
  std::map<Stage, size_t> entries;
};

CacheSum sum_of(const fs::path& folder) {
  CacheSum sum;
  StageCacheOptions options;
  options.folder = folder;
  for (const StageEntryInfo& entry : StageCache(std::move(options)).list()) {
    sum.seconds += entry.seconds;
    sum.entries[entry.key.stage] += entry.complete ? 1 : 0;
  }
  return sum;
}

void bench_stages(const SweepBench& bench, const fs::path& folder) {
  std::vector<std::string> command = {kProgram, "sweep", bench.file};
  command.insert(command.end(), bench.overrides.begin(), bench.overrides.end());
  for (const std::string& word : {std::string("--cache"), (folder / "cache").string(), std::string("-o"),
                                  (folder / "results").string(), std::string("-q")}) {
    command.push_back(word);
  }
  const Took first = time_of([&] { run_again(command, ChildOutput::hidden); });
  const CacheSum sum = sum_of(folder / "cache");
  std::vector<std::string> counts;
  for (const auto& [stage, entries] : sum.entries) {
    counts.push_back(fmt::format("{} {}", to_string(stage), entries));
  }
  fmt::print(
      "  from an empty cache: {:.1f} s; its distinct stages ({}) took {:.1f} s: {:.2f} times their sum\n",
      first.seconds, fmt::join(counts, ", "), sum.seconds, first.seconds / sum.seconds);
  fmt::print("  again: {:.1f} s\n", seconds_of([&] { run_again(command, ChildOutput::hidden); }));
}

/// Some runs, evenly from all, as processes of their own; the others are reckoned from these.
void bench_one_by_one(const SweepBench& bench, const fs::path& folder) {
  SweepHost host(folder / "cache");
  Sweep sweep = read_sweep(bench.file, bench.overrides);
  const SweepPlan plan = plan_sweep(std::move(sweep), host);
  const SweepExport written = export_sweep(plan, kProgram, folder / "jobs");
  const size_t all = written.configs.size();
  const size_t measured = bench.configs == 0 ? all : std::min(all, static_cast<size_t>(bench.configs));
  double seconds = 0;
  for (size_t i = 0; i < measured; ++i) {
    const std::string config = written.configs[i * all / measured].string();
    seconds += seconds_of([&] { run_again({kProgram, "eval", config, "-q"}, ChildOutput::hidden); });
  }
  fmt::print("  config by config: {:.1f} s for {} of {} runs", seconds, measured, all);
  if (measured < all) {
    fmt::print(", hence about {:.0f} s for all",
               seconds / static_cast<double>(measured) * static_cast<double>(all));
  }
  fmt::print("\n");
}

/// A grid of so many temperatures, planned in this process.
void bench_planning(const SweepBench& bench, const fs::path& folder) {
  std::vector<std::string> values;
  for (int64_t i = 1; i <= bench.rows; ++i) {
    values.push_back(fmt::format("{:.6f}", static_cast<double>(i) / 1e5));
  }
  const fs::path file = folder / "many.yaml";
  write_file(file,
             fmt::format("base: experiment/emoji\ndatasets: [emoji_image]\ngrid:\n  gap.temperature: [{}]\n",
                         fmt::join(values, ", ")));
  SweepHost host(folder / "cache");
  size_t stages = 0;
  const double seconds = seconds_of([&] { stages = plan_sweep(read_sweep(file), host).stages.size(); });
  fmt::print("  planning {} rows: {:.2f} s ({} distinct stages)\n", bench.rows, seconds, stages);
}

}  // namespace

void add_bench_sweep(CLI::App& bench) {
  CLI::App* suite = bench.add_subcommand(
      "sweep", "A sweep against the sum of its stages, its configs one by one, and planning many rows");
  auto arguments = std::make_shared<SweepBench>();
  auto options = std::make_shared<BenchOptions>();
  suite->add_option("FILE", arguments->file, "Sweep file")->capture_default_str();
  suite->add_option("OVERRIDE", arguments->overrides, "Settings of all rows");
  add_count(*suite, "--configs", arguments->configs, "Runs that are timed one by one; 0: all", 0, 100'000);
  add_count(*suite, "--rows", arguments->rows, "Rows that are planned; 0: none", 0, 100'000);
  add_bench_options(*suite, *options);
  suite->footer("Example:\n  patchioner bench sweep sweep/emoji_grid --configs 12");
  suite->callback([arguments, options] {
    begin_bench(*options);
    const TemporaryFolder folder;
    fmt::print("sweep {} {}\n", arguments->file, fmt::join(arguments->overrides, " "));
    bench_stages(*arguments, folder.path());
    bench_one_by_one(*arguments, folder.path());
    if (arguments->rows > 0) {
      bench_planning(*arguments, folder.path());
    }
  });
}

}  // namespace patchioner
