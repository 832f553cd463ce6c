// What stages have cost here so far, for estimates of what is to come.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "sweep/sweep_plan.hpp"

namespace patchioner {

/// Seconds an image (encode) or a region, of each stage and plugin, from the finished entries of a cache.
class StageRates {
 public:
  explicit StageRates(const StageCache& cache);

  /// Of the same plugin, or else of any plugin's work in this stage; nullopt when nothing like it was ever
  /// done.
  std::optional<double> seconds(const PlannedStage& stage) const;

 private:
  struct Total {
    double seconds = 0;
    double amount = 0;
  };
  std::map<std::pair<Stage, std::string>, Total> of_plugins_;
  std::map<Stage, Total> of_stages_;
};

}  // namespace patchioner
