// Finished, failed and pending runs by what they are of.
#pragma once

#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "results/run_scores.hpp"

namespace patchioner {

/// The runs of a sweep by row and data set; of two of one row and data set the first. Valid as long as the
/// runs are where they were.
class RunIndex {
 public:
  explicit RunIndex(const std::vector<RunScores>& runs) {
    for (const RunScores& run : runs) {
      runs_.emplace(std::pair<std::string_view, std::string_view>(run.row, run.dataset), &run);
    }
  }

  /// nullptr when there is none.
  const RunScores* find(std::string_view row, std::string_view dataset) const {
    const auto run = runs_.find({row, dataset});
    return run == runs_.end() ? nullptr : run->second;
  }

 private:
  std::map<std::pair<std::string_view, std::string_view>, const RunScores*> runs_;
};

}  // namespace patchioner
