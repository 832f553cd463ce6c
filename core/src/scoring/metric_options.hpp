// What the options of scoring mean to the metrics.
#pragma once

#include "metrics/caption_scores.hpp"
#include "scoring/scoring_options.hpp"
#include "scoring/spice_metric.hpp"

namespace patchioner {

/// `is_dense`: METEOR reads raw captions, as the evaluator of dense captions has it.
CaptionScoreOptions caption_options(const ScoringOptions& options, bool is_dense);

SpiceOptions spice_options(const ScoringOptions& options);

}  // namespace patchioner
