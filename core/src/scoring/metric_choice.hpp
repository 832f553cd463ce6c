// Which metrics there are, and which of them are scored.
#pragma once

#include <string>
#include <vector>

#include "scoring/scoring_options.hpp"

namespace patchioner {

bool is_one_of(const std::string& name, const std::vector<std::string>& names);

/// Which of the metrics are of these, in their order.
std::vector<std::string> chosen(const std::vector<std::string>& metrics,
                                const std::vector<std::string>& names);

/// Every metric that may be asked for.
const std::vector<std::string>& metric_names();

/// Those of boxes and captions together: "map", "detmap".
const std::vector<std::string>& dense_metric_names();

/// Throws an Error of kind usage for a metric that is not known or asked for twice.
void check_metric_names(const std::vector<std::string>& metrics);

/// Those of a task where none are asked for: map and detmap of dense captions, BLEU to SPICE of all others,
/// and of both CLIP-S and PAC-S as far as `options` names their models.
std::vector<std::string> default_metrics(bool is_dense, const ScoringOptions& options);

/// The metrics of the options, or by default those of the task. Throws an Error of kind usage for a metric
/// that is not known, asked for twice, not of this task, or without the model that it needs.
std::vector<std::string> metrics_to_score(bool is_dense, const ScoringOptions& options);

}  // namespace patchioner
