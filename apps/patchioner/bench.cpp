// patchioner bench SUITE: measurements, printed with machine, threads and settings. Nothing is asserted.
#include "bench.hpp"

#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <torch/version.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <patchioner/error.hpp>
#include <thread>

#include "commands.hpp"
#include "nn/linear.hpp"
#include "support/interrupt.hpp"

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

double smallest(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::min_element(values.begin(), values.end());
}

}  // namespace

void add_bench_options(CLI::App& suite, BenchOptions& options) {
  suite.add_option("--threads", options.threads, "Processor threads; 0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

void add_count(CLI::App& suite, const std::string& name, int64_t& value, const std::string& help, int64_t low,
               int64_t high) {
  suite.add_option(name, value, help)->check(CLI::Range(low, high))->capture_default_str();
}

void add_device(CLI::App& suite, RuntimeOptions& runtime) {
  suite.add_option("--device", runtime.device, "Where to compute")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
}

void synchronise(at::Device device) {
  if (!device.is_cpu()) {
    const c10::impl::VirtualGuardImpl guard(device.type());
    guard.synchronizeDevice(device.has_index() ? device.index() : guard.getDevice().index());
  }
}

void begin_bench(const BenchOptions& options) {
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  at::set_num_threads(options.threads > 0 ? options.threads : cores);
  fmt::print("{}, {} of {} threads, vector unit {}, LibTorch {}\n", processor_name(), at::get_num_threads(),
             cores, at::get_cpu_capability(), TORCH_VERSION);
}

void print_bfloat16_note() {
  if (!fast_bfloat16()) {
    fmt::print(
        "  bf16: this processor has no bfloat16 products (AVX-512 or newer is needed); precision bf16 "
        "computes "
        "in fp32 here\n");
  }
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Took time_of(const std::function<void()>& work) {
  const std::clock_t used = std::clock();
  Took took;
  took.seconds = seconds_of(work);
  took.processor = static_cast<double>(std::clock() - used) / CLOCKS_PER_SEC;
  return took;
}

double Timing::median() const {
  if (seconds.empty()) {
    return 0;
  }
  std::vector<double> sorted = seconds;
  std::sort(sorted.begin(), sorted.end());
  return sorted[sorted.size() / 2];
}

double Timing::fastest() const {
  return smallest(seconds);
}

double Timing::processor() const {
  return smallest(processor_seconds);
}

std::vector<Timing> measure_in_turn(const std::vector<std::function<void()>>& candidates, int64_t repeat) {
  std::vector<Timing> timings(candidates.size());
  for (const auto& candidate : candidates) {
    candidate();
  }
  const PoliteInterrupt polite;
  for (int64_t round = 0; round < repeat && !interrupted(); ++round) {
    for (size_t i = 0; i < candidates.size(); ++i) {
      const Took took = time_of(candidates[i]);
      timings[i].seconds.push_back(took.seconds);
      timings[i].processor_seconds.push_back(took.processor);
    }
  }
  return timings;
}

void run_again(const std::vector<std::string>& arguments, ChildOutput output) {
  std::vector<char*> values;
  for (const std::string& argument : arguments) {
    values.push_back(const_cast<char*>(argument.c_str()));
  }
  values.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    if (output == ChildOutput::hidden) {
      const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
      ::dup2(nowhere, STDOUT_FILENO);
    }
    ::execv("/proc/self/exe", values.data());
    ::_exit(127);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw Error(ErrorKind::data, "the run that was to be measured failed; its message stands above");
  }
}

void add_bench_command(CommandLine& line) {
  CLI::App* command = line.app.add_subcommand("bench", "Measure speed and memory");
  command->require_subcommand(1);
  add_bench_start(*command);
  add_bench_loading(*command);
  add_bench_backbones(*command);
  add_bench_transformer(*command);
  add_bench_decoders(*command);
  add_bench_precision(*command);
  add_bench_metrics(*command);
  add_bench_sweep(*command);
}

}  // namespace patchioner
