#include <fmt/ranges.h>

#include "verify/verify.hpp"

namespace patchioner {
namespace {

constexpr size_t kMostFailuresShown = 20;

std::string joined(std::vector<std::string> lines) {
  if (lines.size() > kMostFailuresShown) {
    const size_t more = lines.size() - kMostFailuresShown;
    lines.resize(kMostFailuresShown);
    lines.push_back(fmt::format("and {} more", more));
  }
  return fmt::format("{}", fmt::join(lines, "\n    "));
}

/// Throws SkipCase for a kind that cannot be run.
const CaseKind& kind_named(const std::string& name) {
  for (const CaseKind& kind : case_kinds()) {
    if (name == kind.kind) {
      if (kind.run == nullptr) {
        throw SkipCase{kind.reason};
      }
      return kind;
    }
  }
  throw SkipCase{fmt::format("the kind '{}' is not known", name)};
}

/// What ends a case half-way is one more of its failures. Only a case without any is skipped.
void run_reported(const CaseKind& kind, const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  try {
    kind.run(golden, report, host);
    report.finish();
  } catch (const SkipCase& skip) {
    if (report.passed()) {
      throw;
    }
    report.fail(skip.reason);
  } catch (const c10::Error& error) {
    report.fail(error.what_without_backtrace());
  } catch (const std::exception& error) {
    report.fail(error.what());
  }
}

}  // namespace

CaseResult run_case(const std::filesystem::path& folder, PluginHost& host, const PluginContext& context) {
  CaseResult result;
  result.folder = folder;
  host.take_made();  // those of earlier cases
  try {
    GoldenCase golden(folder);
    result.kind = golden.kind();
    const CaseKind& kind = kind_named(result.kind);
    golden.load();
    CaseReport report(golden);
    CaseHost case_host(host, context);
    run_reported(kind, golden, report, case_host);
    result.status = report.passed() ? CaseStatus::passed : CaseStatus::failed;
    result.largest_difference = report.largest_difference();
    result.detail = report.passed() ? report.largest_name() : joined(report.failures());
  } catch (const SkipCase& skip) {
    result.status = CaseStatus::skipped;
    result.detail = skip.reason;
  } catch (const std::exception& error) {
    result.status = CaseStatus::failed;
    result.detail = error.what();
  }
  result.plugins = host.take_made();
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
