// What the suites of `bench` share. Each suite is one file, bench_<name>.cpp.
#pragma once

#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/runtime_options.hpp"

namespace patchioner {

struct BenchOptions {
  int threads = 0;  ///< 0: all cores
};

/// Options that every suite takes.
void add_bench_options(CLI::App& suite, BenchOptions& options);

/// An option that counts something, from `low` to `high`.
void add_count(CLI::App& suite, const std::string& name, int64_t& value, const std::string& help, int64_t low,
               int64_t high);

/// The option `--device`: cpu or cuda.
void add_device(CLI::App& suite, RuntimeOptions& runtime);

/// Waits until the device has done what it was told; nothing to do on the processor.
void synchronise(at::Device device);

/// Sets the threads and prints the line that every figure needs: processor, threads, LibTorch.
void begin_bench(const BenchOptions& options);

/// Says, where it is so, that this processor computes bfloat16 as float32.
void print_bfloat16_note();

double seconds_of(const std::function<void()>& work);

/// Time by the clock, and of all threads of the processor, which other programs disturb less.
struct Took {
  double seconds = 0;
  double processor = 0;
};
Took time_of(const std::function<void()>& work);

struct Timing {
  std::vector<double> seconds;
  std::vector<double>
      processor_seconds;  ///< of all threads, which other programs disturb less than the clock

  double median() const;
  double fastest() const;
  double processor() const;
};

/// Runs each once to warm up, then all in turn `repeat` times, so that what else the machine does hits all
/// alike. An interrupt ends it after the run in flight.
std::vector<Timing> measure_in_turn(const std::vector<std::function<void()>>& candidates, int64_t repeat);

/// What becomes of a child's standard output.
enum class ChildOutput { shown, hidden };

/// Runs this program anew with the arguments, the first of which is its name; throws an Error of kind data
/// when it fails.
void run_again(const std::vector<std::string>& arguments, ChildOutput output);

// Each adds its suite below `bench`.
void add_bench_backbones(CLI::App& bench);
void add_bench_decoders(CLI::App& bench);
void add_bench_loading(CLI::App& bench);
void add_bench_metrics(CLI::App& bench);
void add_bench_precision(CLI::App& bench);
void add_bench_start(CLI::App& bench);
void add_bench_sweep(CLI::App& bench);
void add_bench_transformer(CLI::App& bench);

}  // namespace patchioner
