// Runs the checks of one plugin, one after the other, in this process.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "conformance/workbench.hpp"

namespace patchioner {

/// Hears of the checks while they run. The number counts them from 0 and is the same in every run of the same
/// request.
class CheckListener {
 public:
  virtual ~CheckListener() = default;
  virtual void begins(size_t number, const Check& check) = 0;
  virtual void ends(size_t number, const CheckOutcome& outcome, double seconds) = 0;
  /// What the library has turned out to be; comes before the first check of its objects.
  virtual void opened(const PluginRecord& plugin) = 0;
};

/// Runs the checks from the number `from` on: those of the file, then those of the plugin's kind. Ends where
/// a gate does not pass, and says whether all have. Throws an Error of kind config or usage for a request
/// that cannot be run.
bool run_checks(Workbench& bench, size_t from, CheckListener& listener);

/// One line of the list of all checks.
struct ListedCheck {
  std::string of;  ///< "library", or the kind of plugin
  std::string name;
  std::string asserts;
};

/// Every check that there is, in the order in which they are run.
std::vector<ListedCheck> listed_checks();

}  // namespace patchioner
