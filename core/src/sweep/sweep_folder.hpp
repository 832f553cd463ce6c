// The folder of a sweep's results, which several processes may work on as long as they mean the same sweep.
#pragma once

#include <filesystem>
#include <string>

#include "sweep/sweep_plan.hpp"

namespace patchioner {

/// What lies in the folder by what it holds (docs/sweeps.md).
struct SweepFiles {
  explicit SweepFiles(const std::filesystem::path& folder);

  std::filesystem::path folder;
  std::filesystem::path mark;      ///< .sweep: whose folder it is
  std::filesystem::path text;      ///< table.txt
  std::filesystem::path csv;       ///< table.csv
  std::filesystem::path markdown;  ///< table.md
  std::filesystem::path latex;     ///< table.tex
  std::filesystem::path page;      ///< index.html
  std::filesystem::path logs;      ///< a file a failed stage
};

/// Held while a process works in the folder. Released by the system when the process ends, however it ends.
class SweepFolder {
 public:
  /// Makes the folder. Throws Error: usage when it holds other things or another sweep's results, or when
  /// another process is at work in it on another version of the sweep; io when it cannot be written.
  explicit SweepFolder(const SweepPlan& plan);
  ~SweepFolder();
  SweepFolder(const SweepFolder&) = delete;
  SweepFolder& operator=(const SweepFolder&) = delete;

  /// Whether another process was at work in it already.
  bool joined() const { return joined_; }

 private:
  int descriptor_ = -1;
  bool joined_ = false;
};

}  // namespace patchioner
