// Golden cases: folders with a case.json that says what was computed elsewhere, on what, with which
// tolerance. `verify` runs them through the same code as the commands do - plugins through the host, real
// readers - and says how far off we are.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "checkpoint/state_dict.hpp"
#include "verify/case_host.hpp"

namespace patchioner {

/// Thrown by a case that cannot run here: "skipped, with the reason", never passed.
struct SkipCase {
  std::string reason;
};

/// One case folder, read.
class GoldenCase {
 public:
  /// Reads case.json; throws Error when it cannot be read.
  explicit GoldenCase(std::filesystem::path folder);

  /// Opens the expected tensors. Throws SkipCase when these or any other file that the case names are absent,
  /// so that a case without its data is skipped as a whole, before anything is compared.
  void load();

  const std::filesystem::path& folder() const { return folder_; }
  const nlohmann::json& json() const { return json_; }
  std::string kind() const;

  /// The names that the case promises values for: an "expected" list or map, or a "tensors" map.
  std::vector<std::string> promised_names() const;

  /// Path of a file that the case names, relative to its folder. Throws SkipCase when it is absent.
  std::filesystem::path file(const std::string& name) const;

  /// A tensor of expected.safetensors (inputs are there too). Throws Error when it is absent.
  at::Tensor tensor(const std::string& name) const;
  bool has(const std::string& name) const;
  std::vector<std::string> tensor_names() const { return expected_.names(); }

 private:
  std::filesystem::path folder_;
  nlohmann::json json_;
  StateDict expected_;
};

/// Collects the comparisons of one case. Every expected value must be there, and be compared or named as an
/// input: what a case lists under "expected" (or "tensors") but does not hold, and what it lists or holds and
/// nobody looked at, makes the case fail.
class CaseReport {
 public:
  explicit CaseReport(const GoldenCase& golden);

  /// Ours against the expected tensor `name`. The tolerance is that of `name`, of the last part of it
  /// ("native/pos" -> "pos"), of `group`, or the case's general one; integers and bytes are exact unless an
  /// entry says otherwise. An expected NaN wants a NaN. Shapes must agree.
  void compare(const std::string& name, const at::Tensor& ours, const std::string& group = "");
  void compare(const std::string& name, const at::Tensor& ours, const at::Tensor& expected,
               const std::string& group = "");
  void compare_number(const std::string& name, double ours, double expected,
                      const std::string& group = "scores");
  void compare_text(const std::string& name, const std::string& ours, const std::string& expected);
  /// A statement that must hold ("refused: truncated.pth").
  void require(const std::string& what, bool holds);
  void fail(const std::string& what) { failures_.push_back(what); }
  /// Counts a tensor as an input, or as data that this case needs no answer for; say why in a comment at the
  /// call.
  void used_as_input(const std::string& name);

  bool passed() const { return failures_.empty(); }
  double largest_difference() const { return largest_; }
  const std::string& largest_name() const { return largest_name_; }
  const std::vector<std::string>& failures() const { return failures_; }
  size_t comparisons() const { return comparisons_; }

  /// Fails the case for every tensor that was neither compared nor used, and when nothing was compared at
  /// all. Called once, by the runner, at the end.
  void finish();

 private:
  struct Tolerance {
    double absolute = 0;
    double relative = 0;
  };
  Tolerance tolerance_for(const std::string& name, const std::string& group, bool integral) const;
  const GoldenCase& golden_;
  std::vector<std::string> failures_;
  std::vector<std::string> seen_;
  double largest_ = 0;
  std::string largest_name_;
  size_t comparisons_ = 0;
};

using CaseFunction = void (*)(const GoldenCase& golden, CaseReport& report, CaseHost& host);

/// The one visible list of what kinds exist (kinds.cpp).
struct CaseKind {
  const char* kind;
  CaseFunction run;    ///< nullptr: known, but skipped
  const char* reason;  ///< why it is skipped
};
const std::vector<CaseKind>& case_kinds();

enum class CaseStatus { passed, failed, skipped };
struct CaseResult {
  std::filesystem::path folder;
  std::string kind;
  CaseStatus status = CaseStatus::skipped;
  double largest_difference = 0;
  std::string detail;  ///< the largest difference's name, the failures, or the reason for the skip
  std::vector<std::string> plugins;  ///< that the case made, as "kind/name"
};

/// Runs one case folder with plugins made with `context`, whose precision has to be float32 as the cases' is;
/// never throws for what happens inside the case.
CaseResult run_case(const std::filesystem::path& folder, PluginHost& host, const PluginContext& context = {});

/// All case folders at or under `directory`, sorted by path.
std::vector<std::filesystem::path> find_cases(const std::filesystem::path& directory);

}  // namespace patchioner
