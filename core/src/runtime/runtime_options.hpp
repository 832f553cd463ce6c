// The section `runtime` of a config: where and how the plugins compute; and the section `plugins`: where they
// are found.
#pragma once

#include <filesystem>
#include <patchioner/parameters.hpp>
#include <patchioner/plugin.hpp>
#include <string>
#include <vector>

namespace patchioner {

struct RuntimeOptions {
  std::string device = "auto";
  std::string precision = "fp32";
  int64_t threads = 0;
  int64_t batch = 8;
};

void declare(ParameterList<RuntimeOptions>& list);

/// The section `runtime` of a resolved document, defaults filled in. Throws an Error of kind config that says
/// where.
RuntimeOptions read_runtime_options(const Value& config);

/// Sets one value of the section `runtime`, which is added when it is not there; what reads it finds the
/// command line as its origin.
void set_runtime(Value& config, const std::string& key, Value value);

/// The device that the options come down to: `auto` is the first GPU when LibTorch can use one, otherwise the
/// processor. It is not asked whether a GPU that they name is there, so that what runs on one machine can be
/// planned on another.
at::Device device_of(const RuntimeOptions& options);

/// What the plugins are told. When that is a GPU, the process computes without TF32 and with deterministic
/// convolutions from then on. Throws an Error of kind config when a GPU is asked for and there is none.
PluginContext plugin_context(const RuntimeOptions& options);

/// Sets LibTorch's number of threads; 0 takes all cores. Called once, before the first work. [one-thread]
void apply_threads(const RuntimeOptions& options);

/// `plugins.path`: folders (or single libraries) to search before the others, in order. A place that does not
/// exist throws an Error of kind config that says where it was named.
std::vector<std::filesystem::path> plugin_directories(const Value& config);

}  // namespace patchioner
