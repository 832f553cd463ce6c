// patchioner plugins check FILE: what the SDK promises of a plugin, tried on it in a child process, a line a
// check.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "commands.hpp"
#include "conformance/check_child.hpp"
#include "conformance/check_process.hpp"
#include "conformance/run_checks.hpp"
#include "plugin_places.hpp"
#include "plugins.hpp"

namespace patchioner {
namespace {

constexpr const char* kFooter =
    R"(Without --config the plugin is made from its defaults and the overrides. What a decoder reads of a backbone is taken from the backbone of
the config, or from a stand-in that gives each text a vector of its own.

Each check runs in a child process: a crash, an exit or a hang is its result, and the others are run all the same. docs/plugins_check.md has the
list of checks and the form of --json.

Exit code: 0 nothing failed, 1 something did, 2 wrong usage or config, 77 nothing failed, but the plugin's object could not be made without further
options, so that nothing of it was checked. What was skipped was not checked.

Examples:
  patchioner plugins check my_backbone.so --config my.yaml
  patchioner plugins check build/bin/plugins/gap/noise.so gap.std=0.1 --only random
  patchioner plugins check my_decoder.so --config my.yaml --json > report.json)";

// What test runners take for "skipped" (automake's convention; SKIP_RETURN_CODE of the tests that
// patchioner_add_plugin adds).
constexpr int kUnchecked = 77;

struct CheckArguments {
  std::string file;
  std::string config;
  std::vector<std::string> overrides;
  std::vector<std::string> path;
  std::vector<std::string> only;
  double timeout = CheckWatch().seconds;
  bool json = false;
  bool list = false;
  // Of a child (check_child.hpp).
  int from = -1;
  std::string scratch;
};

CheckRequest request_of(const CheckArguments& arguments) {
  CheckRequest request;
  request.file = arguments.file;
  request.config = arguments.config;
  request.overrides = arguments.overrides;
  request.only = arguments.only;
  request.path = existing_places(arguments.path);
  return request;
}

/// The command line that lets a child go on from a number.
std::vector<std::string> child_command(const CheckArguments& arguments, const std::filesystem::path& program,
                                       size_t from, const std::filesystem::path& scratch) {
  std::vector<std::string> words = {program.string(), "plugins", "check", arguments.file};
  words.insert(words.end(), arguments.overrides.begin(), arguments.overrides.end());
  const auto add = [&words](const char* option, const std::string& value) {
    words.emplace_back(option);
    words.push_back(value);
  };
  if (!arguments.config.empty()) {
    add("--config", arguments.config);
  }
  for (const std::string& place : arguments.path) {
    add("--path", place);
  }
  for (const std::string& name : arguments.only) {
    add("--only", name);
  }
  add("--child-from", std::to_string(from));
  add("--child-scratch", scratch.string());
  return words;
}

void print_result(const CheckResult& result) {
  constexpr double kSlow = 1;  // seconds
  static const char* kWords[] = {"ok", "FAILED", "skipped"};
  std::string line =
      fmt::format("{:<8} {:<18}", kWords[static_cast<size_t>(result.outcome.status)], result.name);
  if (result.seconds >= kSlow) {
    line += fmt::format(" ({:.1f} s)", result.seconds);
  }
  line += " " + result.outcome.sentence;
  line.erase(line.find_last_not_of(' ') + 1);
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void print_json(const CheckArguments& arguments, const CheckReport& report) {
  using Json = nlohmann::ordered_json;
  Json json;
  json["file"] = arguments.file;
  json["config"] = arguments.config.empty() ? Json() : Json(arguments.config);
  json["plugin"] = Json();
  if (report.plugin) {
    json["plugin"] = {{"kind", report.plugin->kind},
                      {"name", report.plugin->name},
                      {"version", report.plugin->version},
                      {"summary", report.plugin->summary}};
  }
  json["checks"] = Json::array();
  for (const CheckResult& result : report.results) {
    json["checks"].push_back({{"name", result.name},
                              {"asserts", result.asserts},
                              {"status", to_string(result.outcome.status)},
                              {"sentence", result.outcome.sentence},
                              {"seconds", result.seconds}});
  }
  for (const CheckStatus status : {CheckStatus::passed, CheckStatus::failed, CheckStatus::skipped}) {
    json[std::string(to_string(status))] = report.count(status);
  }
  json["seconds"] = report.seconds;
  json["unchecked"] = report.unchecked;
  json["interrupted"] = report.interrupted;
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

void print_list() {
  for (const ListedCheck& check : listed_checks()) {
    fmt::print("{:<11} {:<18} {}\n", check.of, check.name, check.asserts);
  }
  for (const auto& [name, asserts] : watched_checks()) {
    fmt::print("{:<11} {:<18} {}\n", "process", name, asserts);
  }
}

void check(const CheckArguments& arguments, CommandLine& line) {
  if (arguments.list) {
    print_list();
    return;
  }
  if (arguments.file.empty()) {
    throw Error(ErrorKind::usage, "plugins check: FILE is missing: the shared library of a plugin");
  }
  const CheckRequest request = request_of(arguments);
  if (arguments.from >= 0) {
    run_check_child(request, static_cast<size_t>(arguments.from), arguments.scratch);
    return;
  }
  CheckWatch watch;
  watch.seconds = arguments.timeout;
  watch.command = [&](size_t from, const std::filesystem::path& scratch) {
    return child_command(arguments, line.program, from, scratch);
  };
  if (!arguments.json) {
    fmt::print("{}\n", arguments.file);
    std::fflush(stdout);
    watch.finished = print_result;
  }
  const CheckReport report = watch_checks(watch);
  if (arguments.json) {
    print_json(arguments, report);
  } else {
    const std::string plugin =
        report.plugin ? fmt::format("{} '{}'", report.plugin->kind, report.plugin->name) : arguments.file;
    fmt::print("{}: {} passed, {} failed, {} skipped in {:.1f} s{}\n", plugin,
               report.count(CheckStatus::passed), report.count(CheckStatus::failed),
               report.count(CheckStatus::skipped), report.seconds,
               report.interrupted ? "; interrupted before the last check"
               : report.unchecked ? "; its object was not made, so nothing of it was checked"
                                  : "");
  }
  if (report.count(CheckStatus::failed) > 0 || report.interrupted) {
    line.exit_code = 1;
  } else if (report.unchecked) {
    line.exit_code = kUnchecked;
  }
}

}  // namespace

void add_plugins_check(CLI::App& plugins, CommandLine& line) {
  CLI::App* command =
      plugins.add_subcommand("check", "Whether a plugin keeps what the SDK promises of its kind");
  auto arguments = std::make_shared<CheckArguments>();
  command->add_option("FILE", arguments->file, "The plugin's shared library");
  command->add_option("OVERRIDE", arguments->overrides, "Options that win over the config's: gap.std=0.1");
  command
      ->add_option("-c,--config", arguments->config,
                   "Config with the section that makes the plugin: weights and other options")
      ->type_name("CONFIG");
  add_plugin_places(*command, arguments->path);
  command
      ->add_option(
          "--only", arguments->only,
          "Of the checks of the plugin's objects only those with this in their names; may be repeated")
      ->allow_extra_args(false)
      ->type_name("NAME");
  command->add_option("--timeout", arguments->timeout, "Seconds that a check may take")
      ->check(CLI::Range(0.1, 1e6))
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "One JSON object instead of lines");
  command->add_flag("--list", arguments->list, "Print all checks of all kinds instead");
  constexpr const char* kHidden = "";
  command->add_option("--child-from", arguments->from)->group(kHidden);
  command->add_option("--child-scratch", arguments->scratch)->group(kHidden);
  command->footer(kFooter);
  command->callback([arguments, &line] { check(*arguments, line); });
}

}  // namespace patchioner
