// patchioner bench SUITE: measurements, printed with machine, threads and settings. Nothing is asserted.
#include "bench.hpp"

#include <ATen/Parallel.h>
#include <torch/version.h>

#include <fstream>
#include <thread>

#include "commands.hpp"

namespace patchioner {
namespace {

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown processor";
}

}  // namespace

void add_bench_options(CLI::App& suite, BenchOptions& options) {
  suite.add_option("--threads", options.threads, "Processor threads; 0: all cores")->capture_default_str();
}

void begin_bench(const BenchOptions& options) {
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  at::set_num_threads(options.threads > 0 ? options.threads : cores);
  fmt::print("{}, {} of {} threads, vector unit {}, LibTorch {}\n", processor_name(), at::get_num_threads(),
             cores, at::get_cpu_capability(), TORCH_VERSION);
}

void add_bench_command(CommandLine& line) {
  CLI::App* command = line.app.add_subcommand("bench", "Measure speed and memory");
  command->require_subcommand(1);
  add_bench_backbones(*command);
  add_bench_decoders(*command);
  add_bench_precision(*command);
}

}  // namespace patchioner
