// patchioner bench loading: how long a checkpoint takes from the file cache to a backbone that has answered
// once, and how much memory that takes.
#include <ATen/Parallel.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <patchioner/backbone.hpp>
#include <patchioner/error.hpp>

#include "bench.hpp"
#include "bench_checkpoints.hpp"
#include "runtime/plugin_host.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

struct LoadingBench {
  std::string file;
  std::string plugin = "clip";
  int64_t repeat = 3;
  bool once = false;  ///< what this program calls itself with: one load, one line
};

/// A line of /proc/self/status in megabytes.
double memory(const std::string& line_name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(line_name + ":")) {
      return std::stod(line.substr(line_name.size() + 1)) * 1024 / 1e6;
    }
  }
  return 0;
}

/// Makes the peak that the system remembers start anew.
void forget_peak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

/// Loads the file once, as a run does that captions images and encodes texts, and prints the line.
void load_once(const LoadingBench& bench) {
  PluginHost host;
  Value options;
  options.set("plugin", Value(bench.plugin));
  options.set("weights", Value(fs::absolute(bench.file).string()));
  const double size = static_cast<double>(fs::file_size(bench.file)) / 1e6;
  // The library and what LibTorch sets up at its first product are there in every run.
  at::matmul(at::zeros({64, 64}), at::zeros({64, 64}));
  forget_peak();
  const double before = memory("VmRSS");
  const double heap_before = memory("RssAnon");
  std::shared_ptr<Backbone> backbone;
  const double opened = seconds_of([&] { backbone = host.backbone(options, PluginContext()); });
  const double image = seconds_of([&] {
    const int64_t patch = backbone->image_spec().patch_size;
    backbone->encode(at::zeros({1, 3, patch, patch}));
  });
  const double image_peak = memory("VmHWM") - before;
  const double text = seconds_of([&] {
    if (backbone->capabilities().text) {
      backbone->encode_token_ids(at::zeros({1, 2}, at::kLong));
    }
  });
  fmt::print("  {:30} {:7.1f} {:7.2f} {:7.2f} {:7.2f} {:7.2f} {:9.0f} {:9.0f} {:9.0f}\n",
             fs::path(bench.file).filename().string(), size, opened, image, text, opened + image + text,
             image_peak, memory("VmHWM") - before, memory("RssAnon") - heap_before);
}

/// Has this program load a file `repeat` times, after a first time that fills the file cache.
void load_in_new_processes(const LoadingBench& bench, const BenchOptions& common) {
  read_file(bench.file);
  for (int64_t round = 0; round < bench.repeat; ++round) {
    std::fflush(stdout);
    run_again({"patchioner", "bench", "loading", bench.file, "--plugin", bench.plugin, "--once", "--threads",
               std::to_string(common.threads)},
              ChildOutput::shown);
  }
}

void bench_loading(const LoadingBench& bench, const BenchOptions& common) {
  fmt::print("  {:30} {:>7} {:>7} {:>7} {:>7} {:>7} {:>9} {:>9} {:>9}\n", "", "", "", "", "", "", "peak MB",
             "peak MB", "heap MB");
  fmt::print("  {:30} {:>7} {:>7} {:>7} {:>7} {:>7} {:>9} {:>9} {:>9}\n", "file", "MB", "open s", "image s",
             "text s", "all s", "images", "all", "after");
  if (!bench.file.empty()) {
    load_in_new_processes(bench, common);
    return;
  }
  const CheckpointFolder folder;
  for (const auto& [plugin, checkpoint] : std::vector<std::pair<std::string, RandomCheckpoint>>{
           {"clip", clip_b16_checkpoint()}, {"talk2dino", dinov2_reg_checkpoint(VitSize::b)}}) {
    const std::string safetensors = (folder.path() / (checkpoint.name + ".safetensors")).string();
    stream_safetensors(safetensors, checkpoint.tensors);
    for (const std::string& file : {folder.torch_file(checkpoint), safetensors}) {
      LoadingBench one = bench;
      one.file = file;
      one.plugin = plugin;
      load_in_new_processes(one, common);
    }
  }
}

}  // namespace

void add_bench_loading(CLI::App& bench) {
  CLI::App* command = bench.add_subcommand(
      "loading", "From a checkpoint in the file cache to a backbone that has answered once: time and memory");
  auto options = std::make_shared<LoadingBench>();
  auto common = std::make_shared<BenchOptions>();
  add_bench_options(*command, *common);
  command->add_option("FILE", options->file, "A checkpoint; random ones of real size without it")
      ->check(CLI::ExistingFile);
  command->add_option("--plugin", options->plugin, "The backbone that reads FILE")->capture_default_str();
  add_count(*command, "--repeat", options->repeat, "Loads of each, each in a process of its own", 1, 1000);
  command->add_flag("--once", options->once, "")->group("");
  command->footer(
      "Memory is what the process holds more than before the load, at its peak; pages of the file itself are "
      "in it.\nExample:\n  patchioner bench loading weights/ViT-B-16.pt --plugin clip");
  command->callback([options, common] {
    if (options->once) {
      at::set_num_threads(std::max(1, common->threads));
      load_once(*options);
      return;
    }
    begin_bench(*common);
    common->threads = at::get_num_threads();
    bench_loading(*options, *common);
  });
}

}  // namespace patchioner
