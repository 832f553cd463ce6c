// patchioner bench loading: how long a checkpoint takes from the file cache to a backbone that has answered
// once, and how much memory that takes.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <patchioner/backbone.hpp>
#include <patchioner/error.hpp>

#include "bench.hpp"
#include "checkpoint/state_dict.hpp"
#include "runtime/plugin_host.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;
using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

struct LoadingBench {
  std::string file;
  std::string plugin = "clip";
  int64_t repeat = 3;
  bool once = false;  ///< what this program calls itself with: one load, one line
};

/// A random tensor as a trained one is stored.
at::Tensor random(const std::vector<int64_t>& shape, at::ScalarType dtype) {
  static at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(1);
  constexpr double kScale = 0.02;
  return (at::randn(shape, generator, at::TensorOptions(at::kFloat)) * kScale).to(dtype);
}

/// The blocks of a CLIP's tower, in half precision but for the norms, as OpenAI stores them.
void add_clip_blocks(Tensors& tensors, const std::string& prefix, int64_t width) {
  constexpr int64_t kLayers = 12;
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    const std::string block = fmt::format("{}transformer.resblocks.{}.", prefix, layer);
    const auto half = [&](const char* name, const std::vector<int64_t>& shape) {
      tensors.emplace_back(block + name, random(shape, at::kHalf));
    };
    half("attn.in_proj_weight", {3 * width, width});
    half("attn.in_proj_bias", {3 * width});
    half("attn.out_proj.weight", {width, width});
    half("attn.out_proj.bias", {width});
    half("mlp.c_fc.weight", {4 * width, width});
    half("mlp.c_fc.bias", {4 * width});
    half("mlp.c_proj.weight", {width, 4 * width});
    half("mlp.c_proj.bias", {width});
    for (const char* norm : {"ln_1.weight", "ln_1.bias", "ln_2.weight", "ln_2.bias"}) {
      tensors.emplace_back(block + norm, random({width}, at::kFloat));
    }
  }
}

/// OpenAI's ViT-B/16 in shapes and types: 150 million numbers in about 350 MB (spec/02 sections 1 and 14).
Tensors clip_b16() {
  constexpr int64_t kWidth = 768;
  constexpr int64_t kText = 512;
  Tensors tensors = {
      {"positional_embedding", random({77, kText}, at::kFloat)},
      {"text_projection", random({kText, 512}, at::kHalf)},
      {"logit_scale", at::zeros({}, at::kFloat)},
      {"input_resolution", at::scalar_tensor(224, at::kLong)},
      {"visual.class_embedding", random({kWidth}, at::kFloat)},
      {"visual.positional_embedding", random({197, kWidth}, at::kFloat)},
      {"visual.proj", random({kWidth, 512}, at::kHalf)},
      {"visual.conv1.weight", random({kWidth, 3, 16, 16}, at::kHalf)},
  };
  for (const char* norm :
       {"visual.ln_pre.weight", "visual.ln_pre.bias", "visual.ln_post.weight", "visual.ln_post.bias"}) {
    tensors.emplace_back(norm, random({kWidth}, at::kFloat));
  }
  add_clip_blocks(tensors, "visual.", kWidth);
  add_clip_blocks(tensors, "", kText);
  tensors.emplace_back("token_embedding.weight", random({49408, kText}, at::kFloat));
  tensors.emplace_back("ln_final.weight", random({kText}, at::kFloat));
  tensors.emplace_back("ln_final.bias", random({kText}, at::kFloat));
  return tensors;
}

/// DINOv2's ViT-B/14 with registers: 87 million numbers in float32, 346 MB (spec/03 section 1.4).
Tensors dinov2_b14() {
  constexpr int64_t kWidth = 768;
  constexpr int64_t kLayers = 12;
  Tensors tensors;
  const auto add = [&tensors](const std::string& name, const std::vector<int64_t>& shape) {
    tensors.emplace_back(name, random(shape, at::kFloat));
  };
  add("cls_token", {1, 1, kWidth});
  add("pos_embed", {1, 1370, kWidth});
  add("register_tokens", {1, 4, kWidth});
  add("mask_token", {1, kWidth});
  add("patch_embed.proj.weight", {kWidth, 3, 14, 14});
  add("patch_embed.proj.bias", {kWidth});
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    const std::string block = fmt::format("blocks.{}.", layer);
    for (const char* vector : {"norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias", "ls1.gamma",
                               "ls2.gamma", "attn.proj.bias", "mlp.fc2.bias"}) {
      add(block + vector, {kWidth});
    }
    add(block + "attn.qkv.weight", {3 * kWidth, kWidth});
    add(block + "attn.qkv.bias", {3 * kWidth});
    add(block + "attn.proj.weight", {kWidth, kWidth});
    add(block + "mlp.fc1.weight", {4 * kWidth, kWidth});
    add(block + "mlp.fc1.bias", {4 * kWidth});
    add(block + "mlp.fc2.weight", {kWidth, 4 * kWidth});
  }
  add("norm.weight", {kWidth});
  add("norm.bias", {kWidth});
  return tensors;
}

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
  struct Folder {
    fs::path path = fs::temp_directory_path() / fmt::format("patchioner_bench_{}", ::getpid());
    Folder() { fs::create_directories(path); }
    ~Folder() {
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
  } const folder;
  for (const auto& [plugin, name, make] : std::vector<std::tuple<std::string, std::string, Tensors (*)()>>{
           {"clip", "clip_b16", clip_b16}, {"talk2dino", "dinov2_b14", dinov2_b14}}) {
    const std::string torch = (folder.path / (name + ".pth")).string();
    const std::string safetensors = (folder.path / (name + ".safetensors")).string();
    {
      const Tensors tensors = make();
      write_torch_state_dict(torch, tensors);
      write_safetensors(safetensors, tensors);
    }
    for (const std::string& file : {torch, safetensors}) {
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
