#include "runtime/runtime_options.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <mutex>
#include <thread>

#include "config/paths.hpp"

namespace patchioner {
namespace {

struct PluginsOptions {
  std::vector<std::string> path;
};

void declare(ParameterList<PluginsOptions>& list) {
  list.add("path", &PluginsOptions::path, "folders or libraries to search for plugins before the others");
}

/// fp32 means fp32: cuDNN's convolutions round to TF32 unless they are told not to, and so do products of
/// matrices where the environment says so. And the same twice is the same.
void compute_exactly_on_gpus() {
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setDeterministicCuDNN(true);
}

Value section(const Value& config, std::string_view name) {
  const Value* found = config.find(name);
  return found == nullptr ? Value() : *found;
}

}  // namespace

void declare(ParameterList<RuntimeOptions>& list) {
  list.add("device", &RuntimeOptions::device, "where to compute; auto takes a GPU when there is one")
      .choices({"auto", "cpu", "cuda"});
  list.add("precision", &RuntimeOptions::precision,
           "fp32 is the reference; bf16 is faster and changes some captions")
      .choices({"fp32", "bf16"});
  list.add("threads", &RuntimeOptions::threads, "processor threads; 0 takes all cores").range(0, 4096);
  list.add("batch", &RuntimeOptions::batch, "images that pass the backbone together").range(1, 65536);
}

RuntimeOptions read_runtime_options(const Value& config) {
  return read_options<RuntimeOptions>(section(config, "runtime"), "runtime");
}

void set_runtime(Value& config, const std::string& key, Value value) {
  if (config.find("runtime") == nullptr) {
    config.set("runtime", Value(Value::Map{}));
  }
  config.find("runtime")->set(key, std::move(value.set_origin({"command line", 0, 0})));
}

at::Device device_of(const RuntimeOptions& options) {
  const bool on_gpu = options.device == "cuda" || (options.device == "auto" && at::hasCUDA());
  return on_gpu ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
}

PluginContext plugin_context(const RuntimeOptions& options) {
  PluginContext context;
  context.device = device_of(options);
  if (context.device.is_cuda() && !at::hasCUDA()) {
    throw Error(
        ErrorKind::config,
        "runtime.device (or --device) is cuda, but this LibTorch finds no CUDA device; use auto or cpu");
  }
  if (context.device.is_cuda()) {
    static std::once_flag once;
    std::call_once(once, compute_exactly_on_gpus);
  }
  context.precision = options.precision == "bf16" ? at::kBFloat16 : at::kFloat;
  return context;
}

void apply_threads(const RuntimeOptions& options) {
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  at::set_num_threads(static_cast<int>(options.threads == 0 ? cores : options.threads));
}

std::vector<std::filesystem::path> plugin_directories(const Value& config) {
  const Value plugins = section(config, "plugins");
  (void)read_options<PluginsOptions>(plugins, "plugins");
  std::vector<std::filesystem::path> directories;
  if (const Value* paths = plugins.find("path"); paths != nullptr && paths->is_list()) {
    for (const Value& path : paths->as_list()) {
      directories.emplace_back(resolve_path(path));
      if (!std::filesystem::exists(directories.back())) {
        throw Error(ErrorKind::config, "{}: 'plugins.path' names {}, which does not exist",
                    path.origin().to_string(), directories.back().string());
      }
    }
  }
  return directories;
}

}  // namespace patchioner
