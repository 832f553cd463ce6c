#include "verify/verify.hpp"

#include <fmt/ranges.h>

namespace patchioner {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, "\n    "));
}

}  // namespace

CaseResult run_case(const std::filesystem::path& folder, PluginHost& host) {
  CaseResult result;
  result.folder = folder;
  try {
    const GoldenCase golden(folder);
    result.kind = golden.kind();
    const CaseKind* known = nullptr;
    for (const CaseKind& kind : case_kinds()) {
      if (result.kind == kind.kind) {
        known = &kind;
      }
    }
    if (known == nullptr) {
      throw SkipCase{fmt::format("the kind '{}' is not known", result.kind)};
    }
    if (known->run == nullptr) {
      throw SkipCase{known->reason};
    }
    CaseReport report(golden);
    known->run(golden, report, host);
    report.finish();
    result.status = report.passed() ? CaseStatus::passed : CaseStatus::failed;
    result.largest_difference = report.largest_difference();
    result.detail = report.passed() ? report.largest_name() : joined(report.failures());
  } catch (const SkipCase& skip) {
    result.status = CaseStatus::skipped;
    result.detail = skip.reason;
  } catch (const c10::Error& error) {
    result.status = CaseStatus::failed;
    result.detail = error.what_without_backtrace();
  } catch (const std::exception& error) {
    result.status = CaseStatus::failed;
    result.detail = error.what();
  }
  return result;
}

std::vector<std::filesystem::path> find_cases(const std::filesystem::path& directory) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    throw Error(ErrorKind::usage,
                "{}: no such folder; give a case (a folder with a case.json) or a folder above cases",
                directory.string());
  }
  std::vector<std::filesystem::path> found;
  if (std::filesystem::exists(directory / "case.json")) {
    found.push_back(directory);
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_directory() && std::filesystem::exists(entry.path() / "case.json")) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace patchioner
