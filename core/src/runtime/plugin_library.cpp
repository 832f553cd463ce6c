#include "runtime/plugin_library.hpp"

#include <fmt/ranges.h>

#include <boost/dll/shared_library.hpp>
#include <cstdlib>
#include <mutex>
#include <patchioner/log.hpp>

#include "runtime/elf_file.hpp"
#include "support/identifier.hpp"

namespace patchioner {
namespace {

/// The libraries that this process has opened. Never destroyed: objects and exceptions of a plugin may
/// outlive everything else.
std::map<std::string, std::shared_ptr<boost::dll::shared_library>>& opened_libraries() {
  static auto& libraries = *new std::map<std::string, std::shared_ptr<boost::dll::shared_library>>();
  return libraries;
}

/// What the dynamic linker said, without Boost's words around it and without the file's own name in front.
std::string linker_message(const std::string& text, const std::filesystem::path& file) {
  constexpr std::string_view kMark = "dlerror system message: ";
  std::string message = text;
  if (const size_t mark = message.find(kMark); mark != std::string::npos) {
    message = message.substr(mark + kMark.size());
    message = message.substr(0, message.rfind(')'));
  }
  if (message.starts_with(file.string() + ": ")) {
    message = message.substr(file.string().size() + 2);
  }
  return demangled(message);
}

std::string other_sdk(uint32_t version) {
  return fmt::format("it was built with SDK {} and this program has SDK {}; {}", version,
                     PATCHIONER_SDK_VERSION,
                     version < PATCHIONER_SDK_VERSION
                         ? "rebuild it with this program's headers"
                         : "update the program, or rebuild the plugin with this program's headers");
}

std::string open_failure(const std::string& message) {
  // The runtime library's symbols carry the SDK's version (cmake/PatchionerExports.cmake).
  constexpr std::string_view kSdk = "version `PATCHIONER_SDK_";
  if (const size_t begin = message.find(kSdk); begin != std::string::npos) {
    return other_sdk(static_cast<uint32_t>(std::strtoul(&message[begin + kSdk.size()], nullptr, 10)));
  }
  if (message.find("undefined symbol") != std::string::npos) {
    if (message.ends_with(fmt::format(", version PATCHIONER_SDK_{}", PATCHIONER_SDK_VERSION))) {
      return fmt::format(
          "it uses an addition to SDK {} that this program does not have yet: {}; update the program",
          PATCHIONER_SDK_VERSION, message);
    }
    return fmt::format("it was linked against a library that has changed: {}; rebuild it", message);
  }
  return fmt::format("the dynamic linker refused it: {}", message);
}

std::shared_ptr<boost::dll::shared_library> open_library(const std::filesystem::path& file) {
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  auto& library = opened_libraries()[file.string()];
  if (library == nullptr) {
    // Resolving everything now turns a missing function into a refusal instead of a crash at its first call.
    const auto mode = boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local;
    library = std::make_shared<boost::dll::shared_library>(boost::filesystem::path(file.string()), mode);
  }
  return library;
}

/// Why the descriptor cannot be used, or nothing, and at which step. Reads only plain data.
std::string check_descriptor(const PatchionerPluginDescriptor* descriptor, PluginStep& step) {
  if (descriptor == nullptr) {
    return fmt::format("its {} returned no descriptor", kDescriptorSymbol);
  }
  step = PluginStep::sdk;
  if (descriptor->magic != PATCHIONER_PLUGIN_MAGIC) {
    return fmt::format(
        "its descriptor begins with {:#018x} where a Patchioner plugin has {:#018x}; it is a plugin of "
        "another program",
        descriptor->magic, PATCHIONER_PLUGIN_MAGIC);
  }
  if (descriptor->sdk_version != PATCHIONER_SDK_VERSION) {
    return other_sdk(descriptor->sdk_version);
  }
  step = PluginStep::build;
  const std::string_view fingerprint =
      descriptor->build_fingerprint == nullptr ? "nothing" : descriptor->build_fingerprint;
  if (fingerprint != PATCHIONER_BUILD_FINGERPRINT) {
    return fmt::format(
        "it was built for {} and this program for {}; rebuild it with this program's compiler and LibTorch",
        fingerprint, PATCHIONER_BUILD_FINGERPRINT);
  }
  step = PluginStep::name;
  if (to_string(static_cast<PluginKind>(descriptor->kind)) == "unknown") {
    return fmt::format(
        "it is of kind {}, and this program knows 1 (backbone), 2 (aggregator), 3 (gap) and 4 (decoder)",
        descriptor->kind);
  }
  if (const std::string_view name = descriptor->name == nullptr ? "" : descriptor->name;
      !is_identifier(name)) {
    return fmt::format("its name '{}' is not made of letters, digits and '_'", name);
  }
  if (descriptor->parameter_schema == nullptr || descriptor->notes == nullptr ||
      descriptor->create == nullptr) {
    return "its descriptor has no parameter schema, no notes or no factory";
  }
  return "";
}

std::string text_of(const char* text) {
  return text == nullptr ? "" : text;
}

void read_descriptor(PluginLibrary& plugin, const boost::dll::shared_library& library) {
  const auto entry = library.get<const PatchionerPluginDescriptor*()>(kDescriptorSymbol);
  const PatchionerPluginDescriptor* descriptor = entry();
  plugin.record.refusal = check_descriptor(descriptor, plugin.step);
  if (!plugin.record.usable()) {
    return;
  }
  plugin.step = PluginStep::declaration;
  plugin.record.kind = static_cast<PluginKind>(descriptor->kind);
  plugin.record.name = descriptor->name;
  plugin.record.version = text_of(descriptor->version);
  plugin.record.summary = text_of(descriptor->summary);
  plugin.record.parameters = schema_from_json(text_of(descriptor->parameter_schema()));
  plugin.record.notes = notes_from_json(text_of(descriptor->notes()));
  plugin.descriptor = descriptor;
}

void open_and_check(PluginLibrary& plugin, const std::filesystem::path& file) {
  plugin.step = PluginStep::library;
  const ElfFile elf = ElfFile::read(file);
  plugin.step = PluginStep::symbol;
  if (elf.has_symbol_table &&
      std::find(elf.functions.begin(), elf.functions.end(), kDescriptorSymbol) == elf.functions.end()) {
    plugin.record.refusal =
        fmt::format("it is a shared library, but no Patchioner plugin: it does not export the function {}",
                    kDescriptorSymbol);
    return;
  }
  plugin.step = PluginStep::dependencies;
  std::vector<std::string> missing;
  for (const Dependency& dependency : dependencies_of(elf)) {
    if (!dependency.found()) {
      missing.push_back(dependency.needed_by == file.filename().string()
                            ? dependency.name
                            : fmt::format("{} (needed by {})", dependency.name, dependency.needed_by));
    }
  }
  if (!missing.empty()) {
    plugin.record.refusal =
        fmt::format("it needs {}, which {} not found; `patchioner plugins doctor {}` says where was looked",
                    fmt::join(missing, ", "), missing.size() == 1 ? "was" : "were", file.string());
    return;
  }
  plugin.step = PluginStep::opening;
  const auto library = open_library(file);
  plugin.handle = library;
  if (!library->has(kDescriptorSymbol)) {
    plugin.record.refusal =
        fmt::format("it is a shared library, but no Patchioner plugin: it does not export the function {}",
                    kDescriptorSymbol);
    return;
  }
  read_descriptor(plugin, *library);
}

}  // namespace

PluginLibrary open_plugin_library(const std::filesystem::path& file) {
  PluginLibrary plugin;
  plugin.record.file = file;
  std::error_code failure;
  const std::filesystem::path canonical = std::filesystem::canonical(file, failure);
  if (failure) {
    plugin.record.refusal = fmt::format("it cannot be opened: {}", failure.message());
    return plugin;
  }
  try {
    open_and_check(plugin, canonical);
  } catch (const boost::system::system_error& error) {
    plugin.record.refusal = open_failure(linker_message(error.what(), canonical));
  } catch (const std::exception& error) {
    plugin.record.refusal = error.what();
  } catch (...) {
    plugin.record.refusal = fmt::format("its {} threw something that is no exception", kDescriptorSymbol);
  }
  return plugin;
}

PluginRecord inspect_plugin(const std::filesystem::path& file) {
  return open_plugin_library(file).record;
}

}  // namespace patchioner
