// `patchioner plugins`: what was found and what was refused, what a plugin can be told, and why a library
// does not open. `plugins page`, `plugins check` and `plugins new` have files of their own.
#include "plugins.hpp"

#include <fmt/ranges.h>

#include <patchioner/error.hpp>

#include "commands.hpp"
#include "config/json_value.hpp"
#include "config/scalar.hpp"
#include "plugin_places.hpp"
#include "runtime/elf_file.hpp"
#include "runtime/plugin_host.hpp"
#include "runtime/private_symbols.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

using nlohmann::ordered_json;

struct Arguments {
  std::vector<std::string> path;
  std::string name;
  std::string file;
  bool json = false;
};

std::string short_number(double number) {
  const std::string text = format_number(number);
  return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

/// Rows as columns of equal width; the last column is not padded.
std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += i + 1 < row.size() ? fmt::format("{:<{}}  ", row[i], widths[i]) : row[i];
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

// --- list
// -----------------------------------------------------------------------------------------------------

ordered_json record_json(const PluginRecord& record) {
  ordered_json json;
  json["file"] = record.file.string();
  if (record.usable()) {
    json["kind"] = to_string(record.kind);
    json["name"] = record.name;
    json["version"] = record.version;
    json["summary"] = record.summary;
  } else {
    json["refused"] = record.refusal;
  }
  return json;
}

void list(const Arguments& arguments) {
  PluginHost host(existing_places(arguments.path));
  std::vector<PluginRecord> records = host.list();
  std::stable_sort(records.begin(), records.end(), [](const PluginRecord& left, const PluginRecord& right) {
    return std::tuple(!left.usable(), left.kind, left.name) <
           std::tuple(!right.usable(), right.kind, right.name);
  });
  if (arguments.json) {
    auto array = ordered_json::array();
    for (const PluginRecord& record : records) {
      array.push_back(record_json(record));
    }
    fmt::print("{}\n", array.dump(2));
    return;
  }
  std::vector<std::vector<std::string>> rows{{"KIND", "NAME", "VERSION", "WHAT IT IS", "FILE"}};
  std::string refused;
  for (const PluginRecord& record : records) {
    if (record.usable()) {
      rows.push_back({std::string(to_string(record.kind)), record.name, record.version, record.summary,
                      record.file.string()});
    } else {
      refused += fmt::format("  {}: {}\n", record.file.string(), record.refusal);
    }
  }
  if (rows.size() == 1) {
    fmt::print(
        "no plugin was found; name folders with --path, in PATCHIONER_PLUGIN_PATH, or under plugins.path in "
        "a config\n");
  } else {
    fmt::print("{}", table(rows));
  }
  if (!refused.empty()) {
    fmt::print("\nRefused:\n{}", refused);
  }
}

// --- describe
// -------------------------------------------------------------------------------------------------

PluginRecord find_record(PluginHost& host, const std::string& name) {
  constexpr PluginKind kKinds[] = {PluginKind::backbone, PluginKind::aggregator, PluginKind::gap,
                                   PluginKind::decoder};
  if (const size_t slash = name.find('/'); slash != std::string::npos) {
    const std::string kind_name = name.substr(0, slash);
    for (const PluginKind kind : kKinds) {
      if (to_string(kind) == kind_name) {
        return host.describe(kind, name.substr(slash + 1));
      }
    }
    throw Error(ErrorKind::usage, "'{}' is no kind of plugin{}", kind_name,
                suggestion(kind_name, {"backbone", "aggregator", "gap", "decoder"}));
  }
  std::vector<PluginRecord> found;
  std::vector<std::string> names;
  for (PluginRecord& record : host.list()) {
    if (record.usable()) {
      names.push_back(record.name);
      if (record.name == name) {
        found.push_back(std::move(record));
      }
    } else if (record.file.stem() == name) {
      throw Error(ErrorKind::plugin, "{} was refused: {}", record.file.string(), record.refusal);
    }
  }
  if (found.empty()) {
    throw Error(ErrorKind::plugin, "no plugin is called '{}'{}", name,
                names.empty() ? "; none was found at all" : suggestion(name, names));
  }
  if (found.size() > 1) {
    std::vector<std::string> full;
    for (const PluginRecord& record : found) {
      full.push_back(fmt::format("{}/{}", to_string(record.kind), record.name));
    }
    throw Error(ErrorKind::usage, "there are several plugins called '{}'; write one of {}", name,
                fmt::join(full, ", "));
  }
  return std::move(found.front());
}

void describe(const Arguments& arguments) {
  PluginHost host(existing_places(arguments.path));
  const PluginRecord record = find_record(host, arguments.name);
  if (arguments.json) {
    ordered_json json = record_json(record);
    json["parameters"] = ordered_json::parse(schema_to_json(record.parameters));
    json["notes"] = ordered_json::parse(notes_to_json(record.notes));
    fmt::print("{}\n", json.dump(2));
    return;
  }
  fmt::print("{} {} {}\n  {}\n  {}\n\n", to_string(record.kind), record.name, record.version, record.summary,
             record.file.string());
  if (!record.notes.empty()) {
    std::vector<std::vector<std::string>> notes;
    for (const PluginNote& note : record.notes) {
      notes.push_back({"  " + note.topic, note.text});
    }
    fmt::print("{}\n", table(notes));
  }
  if (record.parameters.empty()) {
    fmt::print("It has no options.\n");
    return;
  }
  std::vector<std::vector<std::string>> rows{{"OPTION", "TYPE", "DEFAULT", "ALLOWED", "MEANING"}};
  for (const Parameter& parameter : record.parameters) {
    rows.push_back({parameter.name, std::string(to_string(parameter.type)), default_text(parameter),
                    allowed_text(parameter), parameter.help});
  }
  fmt::print("{}", table(rows));
}

// --- doctor
// ---------------------------------------------------------------------------------------------------

void doctor(const Arguments& arguments, int& exit_code) {
  fmt::print("{}\n", arguments.file);
  std::vector<std::vector<std::string>> rows;
  std::string warning;
  size_t missing = 0;
  try {
    const ElfFile elf = ElfFile::read(arguments.file);
    fmt::print("library     {}\n", elf.soname.empty() ? "without a SONAME" : elf.soname);
    for (const auto& [name, paths] : {std::pair{"RPATH", elf.rpath}, std::pair{"RUNPATH", elf.runpath}}) {
      if (!paths.empty()) {
        fmt::print("{:<11} {}\n", name, fmt::join(paths, ":"));
      }
    }
    warning = private_use(elf);
    for (const Dependency& dependency : dependencies_of(elf)) {
      missing += dependency.found() ? 0 : 1;
      rows.push_back({"  " + dependency.name, dependency.found() ? "found" : "MISSING",
                      dependency.found() ? dependency.path.string() : "-",
                      fmt::format("{}; needed by {}", dependency.how, dependency.needed_by)});
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::io) {
      throw;
    }
  }
  if (!rows.empty()) {
    fmt::print("libraries   {} needed, {} missing\n{}", rows.size(), missing, table(rows));
  }
  if (!warning.empty()) {
    fmt::print("warning     {}\n", warning);
  }
  const PluginRecord record = inspect_plugin(arguments.file);
  if (record.usable()) {
    fmt::print("plugin      {} {} {}: {}\n", to_string(record.kind), record.name, record.version,
               record.summary);
    fmt::print("built for   SDK {}, {}\n", PATCHIONER_SDK_VERSION, PATCHIONER_BUILD_FINGERPRINT);
    fmt::print("verdict     it can be used\n");
  } else {
    fmt::print("verdict     refused: {}\n",
               missing > 0 ? "the libraries marked MISSING were not found" : record.refusal);
    exit_code = 1;
  }
}

}  // namespace

std::string allowed_text(const Parameter& parameter) {
  if (!parameter.choices.empty()) {
    return fmt::format("{}{}", parameter.type == ParameterType::path ? "a file | " : "",
                       fmt::join(parameter.choices, " | "));
  }
  if (parameter.minimum && parameter.maximum) {
    return fmt::format("{} to {}", short_number(*parameter.minimum), short_number(*parameter.maximum));
  }
  if (parameter.minimum) {
    return fmt::format("at least {}", short_number(*parameter.minimum));
  }
  return parameter.maximum ? fmt::format("at most {}", short_number(*parameter.maximum)) : "";
}

std::string default_text(const Parameter& parameter) {
  if (parameter.required) {
    return "(required)";
  }
  const Value& value = parameter.default_value;
  if (value.is_text()) {
    return value.as_text().empty() ? "''" : value.as_text();
  }
  return value.is_null() ? "(unset)" : json_from_value(value).dump();
}

void add_plugins_command(CommandLine& line) {
  CLI::App* command = line.app.add_subcommand(
      "plugins",
      "Plugins: what there is, what they can be told, why one does not open, whether one is right, and the "
      "beginning of one");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n  patchioner plugins list\n  patchioner plugins describe gap/memory\n  patchioner plugins "
      "doctor my_backbone.so\n  patchioner plugins check my_backbone.so\n  patchioner plugins new --kind "
      "backbone --name my_backbone");
  auto arguments = std::make_shared<Arguments>();

  CLI::App* list_command = command->add_subcommand(
      "list", "Every plugin file that was found, and every refused one with the reason");
  add_plugin_places(*list_command, arguments->path);
  list_command->add_flag("--json", arguments->json, "JSON instead of a table");
  list_command->footer("Example:\n  patchioner plugins list --path my/plugins");
  list_command->callback([arguments] { list(*arguments); });

  CLI::App* describe_command = command->add_subcommand(
      "describe", "The options of one plugin: type, default, what is allowed, meaning");
  describe_command->add_option("NAME", arguments->name, "NAME, or KIND/NAME where a name is not unique")
      ->required();
  add_plugin_places(*describe_command, arguments->path);
  describe_command->add_flag("--json", arguments->json, "JSON instead of a table");
  describe_command->footer("Example:\n  patchioner plugins describe backbone/clip");
  describe_command->callback([arguments] { describe(*arguments); });

  add_plugins_page(*command);

  CLI::App* doctor_command = command->add_subcommand(
      "doctor", "Which libraries a plugin needs, where each is found, and what the host says of it");
  doctor_command->add_option("FILE", arguments->file, "A shared library")->required();
  doctor_command->footer(
      "Exit code: 0 it can be used, 1 it was refused.\n\nExample:\n  patchioner plugins doctor "
      "build/bin/plugins/gap/none.so");
  doctor_command->callback([arguments, &line] { doctor(*arguments, line.exit_code); });

  add_plugins_check(*command, line);
  add_plugins_new(*command, line);
}

}  // namespace patchioner
