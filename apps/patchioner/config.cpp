// `patchioner config`: shows what a config resolves to, and imports model files of the reference
// implementation.
#include "config/config.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "commands.hpp"
#include "config/import_reference.hpp"
#include "config/interpolation.hpp"
#include "evaluation/dataset_section.hpp"
#include "evaluation/evaluation_options.hpp"
#include "runtime/complete_config.hpp"
#include "runtime/runtime_options.hpp"
#include "scoring/scoring_options.hpp"
#include "support/files.hpp"
#include "support/program_layout.hpp"

namespace patchioner {
namespace {

struct ShowArguments {
  std::string file;
  std::vector<std::string> overrides;
  bool origin = false;
  bool json = false;
  bool defaults = false;
};

/// `config` with the plugins' defaults. A section whose plugin is not found stays as it is written, is told
/// in a warning, and makes the exit code 1.
Value complete_as_found(const Value& config, PluginHost& host, int& exit_code) {
  try {
    return complete_config(config, host);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::plugin) {
      throw;
    }
  }
  exit_code = 1;
  return complete_config(config, host, MissingPlugin::keep);
}

/// The sections that `eval` reads, checked and with absolute paths, where there are any.
void complete_evaluation(Value& document) {
  for (const auto& [section, complete] :
       {std::pair("dataset", &complete_dataset_section), std::pair("score", &complete_score_section),
        std::pair("evaluate", &complete_evaluate_section)}) {
    if (document.find(section) != nullptr) {
      document.set(section, complete(document));
    }
  }
}

void show(const ShowArguments& arguments, int& exit_code) {
  if (arguments.origin && arguments.json) {
    throw Error(ErrorKind::usage,
                "--origin writes comments, which JSON does not have; leave out one of --origin and --json");
  }
  const Value written = compose(arguments.file, arguments.overrides);
  PluginHost host(plugin_directories(written));
  Value document = complete_as_found(written, host, exit_code);
  complete_evaluation(document);
  if (!arguments.defaults) {
    document = only_written(document, written);
  }
  if (arguments.json) {
    fmt::print("{}\n", write_json(document));
  } else {
    fmt::print("{}", write_yaml(escape_interpolation(document), arguments.origin));
  }
}

struct ImportArguments {
  std::string file;
  std::string output;
  bool force = false;
};

/// Relative paths of the model file in the folder `from`, said anew from the folder `to`; both absolute.
void rebase_paths(Value& value, const std::filesystem::path& from, const std::filesystem::path& to) {
  const Origin origin = value.origin();
  const std::string& text = value.as_text();
  if (text.empty() || text.front() == '/' || text.front() == '$' || text.starts_with("hf:")) {
    return;
  }
  value = Value((from / text).lexically_normal().lexically_proximate(to).string()).set_origin(origin);
}

void import_file(const ImportArguments& arguments) {
  namespace fs = std::filesystem;
  if (!arguments.force && !arguments.output.empty() && fs::exists(arguments.output)) {
    throw Error(ErrorKind::usage, "{} exists; give another name, or --force to replace it", arguments.output);
  }
  ImportedConfig imported = import_reference_config(read_yaml(arguments.file));
  if (!arguments.output.empty()) {
    for (const char* path :
         {"backbone.weights", "backbone.alpha_weights", "decoder.weights", "decoder.meacap.memory"}) {
      if (const Value* found = imported.document.find_path(path); found != nullptr && found->is_text()) {
        rebase_paths(const_cast<Value&>(*found), fs::absolute(arguments.file).parent_path(),
                     fs::absolute(arguments.output).parent_path());
      }
    }
  }
  std::string text = fmt::format("# Imported from {}.\n", fs::path(arguments.file).filename().string());
  for (const std::string& note : imported.notes) {
    text += "# " + note + "\n";
    log(LogLevel::info, "{}", note);
  }
  text += write_yaml(imported.document);
  if (arguments.output.empty()) {
    fmt::print("{}", text);
  } else {
    make_folder_of(arguments.output);
    write_file(arguments.output, text);
  }
}

}  // namespace

std::filesystem::path find_configs(const std::filesystem::path& program) {
  if (const char* named = std::getenv("PATCHIONER_CONFIGS")) {
    return named;
  }
  const std::filesystem::path configs = program_layout(program).files / "configs";
  return std::filesystem::is_directory(configs) ? std::filesystem::canonical(configs)
                                                : std::filesystem::path();
}

void add_config_command(CommandLine& line) {
  CLI::App* command =
      line.app.add_subcommand("config", "Show what a config resolves to; import the reference's model files");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n  patchioner config show my.yaml gap.temperature=0.02 --origin\n  patchioner config import "
      "mlp.k.yaml -o mlp.yaml");

  auto show_arguments = std::make_shared<ShowArguments>();
  CLI::App* show_command = command->add_subcommand(
      "show", "Print the resolved document: defaults, the file's own keys, overrides, references");
  show_command
      ->add_option("FILE", show_arguments->file,
                   "A config, the file of a single choice, or a name below the program's configs")
      ->required();
  show_command->add_option("OVERRIDE", show_arguments->overrides,
                           "key=value, group=choice, +key=value, ~key");
  show_command->add_flag("--origin", show_arguments->origin,
                         "Say behind each value which file and line it came from");
  show_command->add_flag("--json", show_arguments->json, "JSON instead of YAML");
  show_command->add_flag("--defaults", show_arguments->defaults,
                         "Also what the plugins and the runtime take when nothing is said");
  show_command->footer(
      "Exit code: 0, or 1 when a plugin was not found.\n\nExample:\n  patchioner config show "
      "experiment/emoji gap=none runtime.batch=2 --defaults --origin");
  show_command->callback([show_arguments, &line] { show(*show_arguments, line.exit_code); });

  auto import_arguments = std::make_shared<ImportArguments>();
  CLI::App* import_command =
      command->add_subcommand("import", "Turn a model YAML of the reference implementation into a config");
  import_command->add_option("FILE", import_arguments->file, "The model YAML")->required();
  import_command->add_option(
      "-o,--output", import_arguments->output,
      "Write here instead of to standard output; relative paths are said anew from there");
  import_command->add_flag("--force", import_arguments->force, "Replace a file that is there");
  import_command->footer(
      "Weights that the reference fetches by name become their official file names in the folder that "
      "PATCHIONER_WEIGHTS names.\n\n"
      "Example:\n  patchioner config import mlp.k.yaml -o mlp.yaml");
  import_command->callback([import_arguments] { import_file(*import_arguments); });
}

}  // namespace patchioner
