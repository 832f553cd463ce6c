// What the suites of `bench` share. Each suite is one file, bench_<name>.cpp.
#pragma once

#include <CLI/CLI.hpp>

namespace patchioner {

struct BenchOptions {
  int threads = 0;  ///< 0: all cores
};

/// Options that every suite takes.
void add_bench_options(CLI::App& suite, BenchOptions& options);

/// Sets the threads and prints the line that every figure needs: processor, threads, LibTorch.
void begin_bench(const BenchOptions& options);

// Each adds its suite below `bench`.
void add_bench_backbones(CLI::App& bench);
void add_bench_decoders(CLI::App& bench);
void add_bench_precision(CLI::App& bench);

}  // namespace patchioner
