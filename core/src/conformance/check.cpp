#include "conformance/check.hpp"

#include "conformance/plugin_calls.hpp"

namespace patchioner {

std::string_view to_string(CheckStatus status) {
  switch (status) {
    case CheckStatus::passed:
      return "passed";
    case CheckStatus::failed:
      return "failed";
    case CheckStatus::skipped:
      return "skipped";
  }
  return "unknown";
}

CheckOutcome outcome_of(const std::function<std::string()>& run) {
  try {
    return {CheckStatus::passed, run()};
  } catch (const CheckFailed& failure) {
    return {CheckStatus::failed, failure.what()};
  } catch (const CheckSkipped& reason) {
    return {CheckStatus::skipped, reason.what()};
  } catch (...) {
    return {CheckStatus::failed, "the check ended with " + thrown_text()};
  }
}

}  // namespace patchioner
