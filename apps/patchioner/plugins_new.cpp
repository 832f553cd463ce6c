// patchioner plugins new: the project of a plugin of one's own, which builds and passes its tests as it is.
#include <fmt/format.h>

#include <array>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "plugins.hpp"
#include "runtime/plugin_host.hpp"
#include "scaffold/plugin_scaffold.hpp"
#include "support/shell_word.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFooter =
    R"(The folder gets a class to fill in, a config that names it, CMakeLists.txt, tests and a README. It builds against the
program that wrote it and passes its tests as it is; they fail until the plugin is built.

Examples:
  patchioner plugins new --kind backbone --name my_vit
  patchioner plugins new --kind aggregator --name my_rule plugins/my_rule)";

struct KindOfPlugin {
  PluginKind kind;
  const char* image;   // of its scaffold: what its config is tried on
  const char* region;  // in it, as options

  std::string name() const { return std::string(to_string(kind)); }
};

constexpr std::array kKinds = {
    KindOfPlugin{PluginKind::backbone, "test/colours.png", " --box 0,0,32,64"},
    KindOfPlugin{PluginKind::aggregator, "test/scene.jpg", " --box 100,60,120,120"},
    KindOfPlugin{PluginKind::gap, "test/scene.jpg", ""},
    KindOfPlugin{PluginKind::decoder, "test/scene.jpg", ""}};

struct NewArguments {
  std::string kind;
  std::string name;
  std::string folder;
};

/// What CMake must be told to find this program's package: " -DNAME=PATH", or nothing.
std::string package_option(const fs::path& program) {
  const fs::path above = (program.parent_path() / "..").lexically_normal().parent_path();  // build, or PREFIX
  if (fs::exists(above / "PatchionerConfig.cmake")) {
    return " -DPatchioner_DIR=" + shell_word(above.string());
  }
  if (!fs::exists(above / "lib/cmake/Patchioner/PatchionerConfig.cmake")) {
    log(LogLevel::warning,
        "there is no CMake package beside {}; install Patchioner with its SDK, and name its folder "
        "instead of PREFIX below",
        program.string());
    return " -DCMAKE_PREFIX_PATH=PREFIX";
  }
  return above == "/usr" || above == "/usr/local" ? "" : " -DCMAKE_PREFIX_PATH=" + shell_word(above.string());
}

void warn_of_namesake(const KindOfPlugin& kind, const std::string& name) {
  try {
    const PluginRecord other = PluginHost().describe(kind.kind, name);
    log(LogLevel::warning,
        "another {} is called '{}', {}; of two plugins of one name the first that is found is used",
        kind.name(), name, other.file.string());
  } catch (const Error&) {
    // None of that name can be used.
  }
}

void make_plugin(const NewArguments& arguments, const fs::path& program) {
  const KindOfPlugin& kind = *std::find_if(
      kKinds.begin(), kKinds.end(), [&](const KindOfPlugin& one) { return one.name() == arguments.kind; });
  check_plugin_name(arguments.name);
  const fs::path folder = arguments.folder.empty() ? arguments.name : arguments.folder;
  const std::vector<fs::path> files =
      write_plugin_scaffold(plugin_templates(program), names_of(kind.name(), arguments.name), folder);
  warn_of_namesake(kind, arguments.name);

  const auto in_folder = [&](const std::string& name) {
    return shell_word((folder / name).lexically_normal().string());
  };
  fmt::print("{}: the {} '{}'\n", folder.string(), kind.name(), arguments.name);
  for (const fs::path& file : files) {
    fmt::print("  {}\n", file.string());
  }
  fmt::print(
      "\nNext, from here:\n"
      "  cmake -S {0} -B {1}{2}\n"
      "  cmake --build {1}\n"
      "  ctest --test-dir {1} --output-on-failure\n"
      "  PATCHIONER_PLUGIN_PATH={3} patchioner caption -c {4} {5}{6}\n\n"
      "{7} says where your own code goes.\n",
      shell_word(folder.string()), in_folder("build"), package_option(program), in_folder("build/plugins"),
      in_folder(arguments.name + ".yaml"), in_folder(kind.image), kind.region, in_folder("README.md"));
}

}  // namespace

void add_plugins_new(CLI::App& plugins, const CommandLine& line) {
  CLI::App* command =
      plugins.add_subcommand("new", "Begin a plugin: a project that builds and passes its tests");
  auto arguments = std::make_shared<NewArguments>();
  command->add_option("DIR", arguments->folder,
                      "Folder for it, empty or not there yet; NAME when it is left out");
  std::vector<std::string> kinds;
  for (const KindOfPlugin& kind : kKinds) {
    kinds.push_back(kind.name());
  }
  command->add_option("--kind", arguments->kind, "What it is")->required()->check(CLI::IsMember(kinds));
  command->add_option("--name", arguments->name, "What configs call it: lower-case letters, digits and '_'")
      ->required()
      ->type_name("NAME");
  command->footer(kFooter);
  command->callback([arguments, &line] { make_plugin(*arguments, line.program); });
}

}  // namespace patchioner
