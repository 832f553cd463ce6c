// patchioner plugins page KIND: the reference page of all plugins of a kind, from what they declare and from
// what `verify` measured.
#include <fmt/ranges.h>

#include <map>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "plugins.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

struct PageArguments {
  std::string kind = "backbone";
  std::string verified;
};

/// What golden cases say of one plugin.
struct Parity {
  size_t passed = 0;
  size_t failed = 0;
  double largest_difference = 0;
  std::string largest_case;
};

void add_case(const nlohmann::json& result, Parity& parity) {
  const std::string status = result["status"].get<std::string>();
  parity.passed += status == "passed" ? 1 : 0;
  parity.failed += status == "failed" ? 1 : 0;
  const double difference = result["largest_difference"].get<double>();
  if (status == "passed" && difference >= parity.largest_difference) {
    parity.largest_difference = difference;
    parity.largest_case = std::filesystem::path(result["case"].get<std::string>()).filename().string();
  }
}

/// The cases of a file of `verify --json`, for each plugin that they make, by "kind/name".
std::map<std::string, Parity> read_parity(const std::string& path) {
  std::map<std::string, Parity> found;
  std::istringstream lines(read_file(path));
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const nlohmann::json result = nlohmann::json::parse(line, nullptr, false);
    if (!result.is_object() || !result.contains("plugins") || !result.contains("status")) {
      throw Error(ErrorKind::data, "{}:{}: is no line of `verify --json`", path, number);
    }
    for (const nlohmann::json& plugin : result["plugins"]) {
      add_case(result, found[plugin.get<std::string>()]);
    }
  }
  return found;
}

/// Text that stands in a cell of a table.
std::string cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

std::string parity_text(const Parity& parity) {
  if (parity.passed + parity.failed == 0) {
    return "no golden case";
  }
  if (parity.failed > 0) {
    return fmt::format("**{} of {} golden cases fail**", parity.failed, parity.passed + parity.failed);
  }
  return fmt::format("{} golden case{}, largest difference {:.1e} ({})", parity.passed,
                     parity.passed == 1 ? "" : "s", parity.largest_difference, parity.largest_case);
}

std::vector<std::string> topics_of(const std::vector<PluginRecord>& records) {
  std::vector<std::string> topics;
  for (const PluginRecord& record : records) {
    for (const PluginNote& note : record.notes) {
      if (std::find(topics.begin(), topics.end(), note.topic) == topics.end()) {
        topics.push_back(note.topic);
      }
    }
  }
  return topics;
}

std::string note_of(const PluginRecord& record, const std::string& topic) {
  for (const PluginNote& note : record.notes) {
    if (note.topic == topic) {
      return note.text;
    }
  }
  return "";
}

std::string overview(const std::vector<PluginRecord>& records, const std::string& kind,
                     const std::map<std::string, Parity>& parity) {
  const std::vector<std::string> topics = topics_of(records);
  std::string text = fmt::format("| {} | what it is |", kind);
  for (const std::string& topic : topics) {
    text += fmt::format(" {} |", cell(topic));
  }
  text += " parity |\n|---|---|";
  for (size_t i = 0; i < topics.size(); ++i) {
    text += "---|";
  }
  text += "---|\n";
  for (const PluginRecord& record : records) {
    text += fmt::format("| [`{0}`](#{0}) | {1} |", record.name, cell(record.summary));
    for (const std::string& topic : topics) {
      text += fmt::format(" {} |", cell(note_of(record, topic)));
    }
    const auto found = parity.find(fmt::format("{}/{}", kind, record.name));
    text += fmt::format(" {} |\n", found == parity.end() ? "no golden case" : parity_text(found->second));
  }
  return text;
}

std::string options(const PluginRecord& record) {
  if (record.parameters.empty()) {
    return "It has no options.\n";
  }
  std::string text = "| option | type | default | allowed | meaning |\n|---|---|---|---|---|\n";
  for (const Parameter& parameter : record.parameters) {
    text += fmt::format("| `{}` | {} | {} | {} | {} |\n", parameter.name, to_string(parameter.type),
                        cell(default_text(parameter)), cell(allowed_text(parameter)), cell(parameter.help));
  }
  return text;
}

std::vector<PluginRecord> records_of(const std::string& kind) {
  std::vector<PluginRecord> records;
  for (PluginRecord& record : PluginHost().list()) {
    if (record.usable() && to_string(record.kind) == kind) {
      records.push_back(std::move(record));
    }
  }
  std::sort(records.begin(), records.end(),
            [](const PluginRecord& left, const PluginRecord& right) { return left.name < right.name; });
  return records;
}

void print_page(const PageArguments& arguments) {
  const std::map<std::string, Parity> parity =
      arguments.verified.empty() ? std::map<std::string, Parity>() : read_parity(arguments.verified);
  const std::vector<PluginRecord> records = records_of(arguments.kind);
  fmt::print(
      "# The plugins of kind {0}\n\n"
      "Written by `./run docs` from what the plugins declare and from what `patchioner verify` measured on "
      "the golden "
      "cases in `tests/parity`;\nchange those, not this page. The column parity counts the cases that a "
      "plugin takes part in; a difference is the largest of all numbers that\na case compares, against "
      "public "
      "code run in float32.\n\n{1}",
      arguments.kind, overview(records, arguments.kind, parity));
  for (const PluginRecord& record : records) {
    fmt::print("\n## {0}\n\n{1}. More: `plugins/{2}/{0}/README.md`.\n\n{3}", record.name, record.summary,
               arguments.kind == "gap" ? "gap" : arguments.kind + "s", options(record));
  }
}

}  // namespace

void add_plugins_page(CLI::App& plugins) {
  CLI::App* command =
      plugins.add_subcommand("page", "The reference page of all plugins of a kind, as Markdown");
  auto arguments = std::make_shared<PageArguments>();
  command->add_option("KIND", arguments->kind, "The kind of plugin")
      ->check(CLI::IsMember({"backbone", "aggregator", "gap", "decoder"}))
      ->capture_default_str();
  command
      ->add_option("--verified", arguments->verified, "What `verify --json` printed, for the column parity")
      ->type_name("FILE");
  command->footer(
      "Example:\n  patchioner verify tests/parity --json > cases.jsonl\n  patchioner plugins page backbone "
      "--verified cases.jsonl > docs/backbones.md");
  command->callback([arguments] { print_page(*arguments); });
}

}  // namespace patchioner
