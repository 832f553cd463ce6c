#include "sweep/stage_rates.hpp"

namespace patchioner {

StageRates::StageRates(const StageCache& cache) {
  for (const StageEntryInfo& entry : cache.list()) {
    if (!entry.complete || !entry.facts.is_object()) {
      continue;
    }
    const double amount = entry.facts.value("amount", 0.0);
    for (Total* total :
         {&of_plugins_[{entry.key.stage, entry.facts.value("plugin", "")}], &of_stages_[entry.key.stage]}) {
      total->seconds += entry.seconds;
      total->amount += amount;
    }
  }
}

std::optional<double> StageRates::seconds(const PlannedStage& stage) const {
  const auto rate_of = [&](const Total& total) {
    return total.seconds / total.amount * static_cast<double>(stage.amount);
  };
  if (const auto known = of_plugins_.find({stage.key.stage, stage.plugin});
      known != of_plugins_.end() && known->second.amount > 0) {
    return rate_of(known->second);
  }
  if (const auto known = of_stages_.find(stage.key.stage);
      known != of_stages_.end() && known->second.amount > 0) {
    return rate_of(known->second);
  }
  return std::nullopt;
}

}  // namespace patchioner
