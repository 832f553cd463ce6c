// Checks a plugin in a process of its own, so that a crash, a hang or an exit is a result like others.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conformance/check.hpp"

namespace patchioner {

/// One check that was run, or could not be.
struct CheckResult {
  std::string name;
  std::string asserts;
  CheckOutcome outcome;
  double seconds = 0;
};

/// What the library turned out to be.
struct CheckedPlugin {
  std::string kind;
  std::string name;
  std::string version;
  std::string summary;
};

struct CheckReport {
  std::optional<CheckedPlugin> plugin;  ///< when it could be opened
  std::vector<CheckResult> results;     ///< in the order in which they were run
  double seconds = 0;
  bool unchecked = false;    ///< what the other checks need was not there, and they were skipped
  bool interrupted = false;  ///< Ctrl-C came before the last check

  size_t count(CheckStatus status) const;
};

/// How the checks are watched.
struct CheckWatch {
  /// What runs the checks from a number on, writing files into a folder: a program that calls
  /// run_check_child().
  std::function<std::vector<std::string>(size_t from, const std::filesystem::path& scratch)> command;
  double seconds = 120;                              ///< how long one check may take
  std::function<void(const CheckResult&)> finished;  ///< hears of each result when it is there
};

/// Runs all checks in a child process. When one ends the process, or must be ended because it takes too long,
/// that is its result, and another child goes on behind it; after three that took too long the rest is
/// skipped. Behind the checks themselves come "silence" (nothing was printed) and "end" (the process ended as
/// it should). Throws an Error of kind config or usage for a request that the child cannot run, and of kind
/// io or internal when no child can be started.
CheckReport watch_checks(const CheckWatch& watch);

/// The names and assertions of the two checks that only watching can make.
std::vector<std::pair<std::string, std::string>> watched_checks();

}  // namespace patchioner
