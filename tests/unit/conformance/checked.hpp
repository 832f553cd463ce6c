// Checks run in this process, for plugins that do not end it.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "conformance/run_checks.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {

inline std::filesystem::path broken_plugin(const std::string& name) {
  return std::filesystem::path(PATCHIONER_BINARY_DIR) / "tests/broken_plugins" / (name + ".so");
}

/// Outcomes by the names of their checks.
class Outcomes final : public CheckListener {
 public:
  void begins(size_t number, const Check& check) override {
    CHECK(number == numbers.size());
    numbers.push_back(check.name);
  }
  void ends(size_t number, const CheckOutcome& outcome, double seconds) override {
    CHECK(seconds >= 0);
    all[numbers.at(number)] = outcome;
  }
  void opened(const PluginRecord& plugin) override { name = plugin.name; }

  std::vector<std::string> failed() const {
    std::vector<std::string> names;
    for (const std::string& check : numbers) {
      const auto found = all.find(check);
      if (found != all.end() && found->second.status == CheckStatus::failed) {
        names.push_back(check);
      }
    }
    return names;
  }

  const CheckOutcome& of(const std::string& check) const {
    const auto found = all.find(check);
    REQUIRE_MESSAGE(found != all.end(), check);
    return found->second;
  }

  std::vector<std::string> numbers;  // the names, in the order in which the checks began
  std::map<std::string, CheckOutcome> all;
  std::string name;
  bool complete = false;
};

inline Outcomes checked(const std::filesystem::path& file, std::vector<std::string> overrides = {}) {
  const TestFolder folder;
  CheckRequest request;
  request.file = file;
  request.overrides = std::move(overrides);
  Workbench bench(request, folder.path());
  Outcomes outcomes;
  outcomes.complete = run_checks(bench, 0, outcomes);
  return outcomes;
}

}  // namespace patchioner
