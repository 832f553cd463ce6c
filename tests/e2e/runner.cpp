// Runs test scripts: every case in an empty folder of its own, every step with bash, the program first in the
// path.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "script.hpp"

namespace e2e {
namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) {
    fmt::print(stderr, "the variable {} is not set; run these tests by ctest\n", name);
    std::exit(2);
  }
  return value;
}

struct Outcome {
  int exit_code = 0;
  std::string out;
  std::string err;
};

Outcome run(const std::string& command, const std::filesystem::path& folder) {
  const std::filesystem::path streams = folder.parent_path();
  {
    std::ofstream script(streams / "step.sh");
    script << command << "\n";
  }
  const std::string line = fmt::format("cd '{0}' && bash '{1}/step.sh' >'{1}/out' 2>'{1}/err' </dev/null",
                                       folder.string(), streams.string());
  const int status = std::system(line.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), content_of(streams / "out"),
          content_of(streams / "err")};
}

std::string without_last_line_end(std::string text) {
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  return text;
}

/// Empty when it holds, otherwise what was found instead.
std::string check(const Expectation& expectation, const Outcome& outcome,
                  const std::filesystem::path& folder) {
  std::string found = expectation.subject == "out" ? outcome.out : outcome.err;
  if (expectation.subject == "file") {
    const bool there = std::filesystem::exists(folder / expectation.file);
    if (expectation.relation == "exists" || expectation.relation == "absent") {
      return there == (expectation.relation == "exists") ? "" : there ? "it is there" : "it is not there";
    }
    if (!there) {
      return "there is no such file";
    }
    found = content_of(folder / expectation.file);
  }
  const std::string shown = found.size() > 2000 ? found.substr(0, 2000) + "..." : found;
  const std::string& wanted = expectation.text;
  bool holds = false;
  if (expectation.relation == "has") {
    holds = found.find(wanted) != std::string::npos;
  } else if (expectation.relation == "lacks") {
    holds = found.find(wanted) == std::string::npos;
  } else if (expectation.relation == "is") {
    holds = without_last_line_end(found) == wanted;
  } else if (expectation.relation == "matches") {
    holds = std::regex_search(found, std::regex(wanted, std::regex::ECMAScript));
  } else if (expectation.relation == "lines") {
    holds = std::count(found.begin(), found.end(), '\n') == std::stol(wanted);
  } else if (expectation.relation == "empty") {
    holds = found.empty();
  }
  return holds ? "" : fmt::format("found:\n{}", shown);
}

/// Whether the case passed.
bool run_case(const Case& test, const std::filesystem::path& folder) {
  std::filesystem::remove_all(folder.parent_path());
  std::filesystem::create_directories(folder);
  for (const Step& step : test.steps) {
    const Outcome outcome = run(step.command, folder);
    std::string failures;
    if (outcome.exit_code != step.exit_code) {
      failures += fmt::format("  exit code {}, expected {}\n", outcome.exit_code, step.exit_code);
    }
    for (const Expectation& expectation : step.expectations) {
      if (const std::string found = check(expectation, outcome, folder); !found.empty()) {
        failures += fmt::format("  line {}: {}{} {} {}: {}\n", expectation.line, expectation.subject,
                                expectation.file.empty() ? "" : " " + expectation.file, expectation.relation,
                                expectation.text, found);
      }
    }
    if (!failures.empty()) {
      fmt::print("FAIL  {} (line {})\n  $ {}\n{}  standard error:\n{}\n", test.name, step.line, step.command,
                 failures, outcome.err);
      return false;
    }
  }
  fmt::print("pass  {}\n", test.name);
  return true;
}

/// Whoever runs the same script at the same time waits for this one: both would work in the same folders.
class Turn {
 public:
  explicit Turn(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    descriptor_ = ::open((folder / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    if (descriptor_ < 0 || ::flock(descriptor_, LOCK_EX) != 0) {
      throw std::runtime_error(fmt::format("{}: cannot be locked", folder.string()));
    }
  }
  ~Turn() { ::close(descriptor_); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  int descriptor_ = -1;
};

struct Counts {
  size_t passed = 0;
  size_t failed = 0;
};

Counts run_script(const std::filesystem::path& path) {
  const std::filesystem::path source = environment("E2E_SOURCE");
  const std::filesystem::path binary = environment("E2E_BINARY");
  const char* search = std::getenv("PATH");
  ::setenv("PATH", fmt::format("{}:{}", (binary / "bin").string(), search == nullptr ? "" : search).c_str(),
           1);
  ::setenv("SOURCE", source.c_str(), 1);
  ::setenv("IMAGES", (source / "tests" / "e2e" / "images").c_str(), 1);
  Counts counts;
  const std::vector<Case> cases = parse_script(content_of(path));
  const std::filesystem::path folders = binary / "tests" / "e2e" / path.stem();
  const Turn turn(folders);
  for (size_t i = 0; i < cases.size(); ++i) {
    const auto absent =
        std::find_if(cases[i].needs.begin(), cases[i].needs.end(),
                     [&](const std::string& need) { return !std::filesystem::exists(source / need); });
    if (absent != cases[i].needs.end()) {
      fmt::print("skip  {}: {} is absent\n", cases[i].name, *absent);
      continue;
    }
    ++(run_case(cases[i], folders / std::to_string(i + 1) / "folder") ? counts.passed : counts.failed);
  }
  fmt::print("{} passed, {} failed, {} skipped\n", counts.passed, counts.failed,
             cases.size() - counts.passed - counts.failed);
  return counts;
}

}  // namespace
}  // namespace e2e

int main(int argument_count, char** arguments) {
  try {
    e2e::Counts all;
    for (int i = 1; i < argument_count; ++i) {
      const e2e::Counts counts = e2e::run_script(arguments[i]);
      all.passed += counts.passed;
      all.failed += counts.failed;
    }
    constexpr int kNothingRan = 77;  // CMakeLists.txt: SKIP_RETURN_CODE
    return all.failed > 0 ? 1 : all.passed > 0 ? 0 : kNothingRan;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
