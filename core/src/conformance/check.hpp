// What a conformance check is: one thing that the SDK's headers promise of every plugin of a kind, tried on
// one plugin.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchioner {

enum class CheckStatus { passed, failed, skipped };

/// "passed", "failed" or "skipped".
std::string_view to_string(CheckStatus status);

/// What one check came to. `sentence` says what is wrong, or why it was skipped; of a passed one it is a
/// remark, often empty.
struct CheckOutcome {
  CheckStatus status = CheckStatus::passed;
  std::string sentence;
};

/// Ends a check: the plugin does not keep the promise. The sentence says what came and what was expected.
class CheckFailed : public std::runtime_error {
 public:
  template <class... Arguments>
  explicit CheckFailed(fmt::format_string<Arguments...> format, Arguments&&... arguments)
      : std::runtime_error(fmt::format(format, std::forward<Arguments>(arguments)...)) {}
};

/// Ends a check that has nothing to look at, with the reason.
class CheckSkipped : public std::runtime_error {
 public:
  template <class... Arguments>
  explicit CheckSkipped(fmt::format_string<Arguments...> format, Arguments&&... arguments)
      : std::runtime_error(fmt::format(format, std::forward<Arguments>(arguments)...)) {}
};

/// An entry of a list of checks. `run` gives a remark on what passed, often none, and throws CheckFailed or
/// CheckSkipped otherwise.
template <class Subject>
struct CheckOf {
  const char* name;     ///< unique within its list
  const char* asserts;  ///< what must hold, in one line
  std::string (*run)(Subject& subject);
};

/// Makes another object of the plugin, with the options of the one that is checked.
template <class Interface>
using Another = std::function<std::shared_ptr<const Interface>()>;

/// A check that knows what it looks at.
struct Check {
  std::string name;
  std::string asserts;
  std::function<std::string()> run;
  bool gate = false;  ///< whether nothing behind it can be run unless it passes
};

/// Runs a check and never throws: whatever it lets through is a failure that says what was thrown.
CheckOutcome outcome_of(const std::function<std::string()>& run);

}  // namespace patchioner
