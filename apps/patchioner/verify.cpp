// patchioner verify DIR...: golden cases against this program, a line a case.
#include "verify/verify.hpp"

#include <cstdio>

#include "commands.hpp"
#include "plugin_places.hpp"
#include "runtime/runtime_options.hpp"

namespace patchioner {
namespace {

struct VerifyArguments {
  std::vector<std::string> directories;
  std::vector<std::string> places;  ///< of plugins
  std::string device = "cpu";
  bool json = false;
};

void print_json(const CaseResult& result) {
  static const char* kWords[] = {"passed", "failed", "skipped"};
  const nlohmann::json line = {{"case", result.folder.string()},
                               {"kind", result.kind},
                               {"status", kWords[static_cast<int>(result.status)]},
                               {"largest_difference", result.largest_difference},
                               {"detail", result.detail},
                               {"plugins", result.plugins}};
  fmt::print("{}\n", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void print_text(const CaseResult& result) {
  const std::string name = result.folder.string();
  switch (result.status) {
    case CaseStatus::passed:
      fmt::print("pass  {:<60} largest difference {:.3g}{}\n", name, result.largest_difference,
                 result.detail.empty() ? "" : " (" + result.detail + ")");
      break;
    case CaseStatus::failed:
      fmt::print("FAIL  {}\n    {}\n", name, result.detail);
      break;
    case CaseStatus::skipped:
      fmt::print("skip  {:<60} {}\n", name, result.detail);
      break;
  }
  std::fflush(stdout);
}

void run_verify(const VerifyArguments& arguments, CommandLine& line) {
  PluginHost host(existing_places(arguments.places));
  RuntimeOptions runtime;
  runtime.device = arguments.device;
  const PluginContext context = plugin_context(runtime);
  std::vector<std::filesystem::path> folders;
  for (const std::string& directory : arguments.directories) {
    const auto found = find_cases(directory);
    if (found.empty()) {
      throw Error(ErrorKind::usage, "{}: no case.json in or under this folder", directory);
    }
    folders.insert(folders.end(), found.begin(), found.end());
  }
  std::array<size_t, 3> counts{};
  for (const auto& folder : folders) {
    const CaseResult result = run_case(folder, host, context);
    ++counts[static_cast<size_t>(result.status)];
    arguments.json ? print_json(result) : print_text(result);
  }
  const auto [passed, failed, skipped] = counts;
  // With --json, standard output holds records only.
  fmt::print(arguments.json ? stderr : stdout, "{} passed, {} failed, {} skipped\n", passed, failed, skipped);
  if (failed > 0) {
    line.exit_code = 1;
  }
}

}  // namespace

void add_verify_command(CommandLine& line) {
  CLI::App* command =
      line.app.add_subcommand("verify", "Run golden cases and print the largest difference of each");
  auto arguments = std::make_shared<VerifyArguments>();
  command->add_option("DIR", arguments->directories, "Case folders, or folders above cases")->required();
  add_plugin_places(*command, arguments->places);
  command
      ->add_option("--device", arguments->device,
                   "Where the plugins compute: cpu, which the cases' tolerances are made for, or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "One JSON object a case on standard output");
  command->footer(
      "Examples:\n  patchioner verify tests/parity\n  patchioner verify my_backbone/cases --path "
      "my_backbone/build/plugins");
  command->callback([arguments, &line] { run_verify(*arguments, line); });
}

}  // namespace patchioner
