// What metrics.json says of an evaluation beside its scores.
#pragma once

#include <nlohmann/json.hpp>

#include "evaluation/dataset_captions.hpp"
#include "evaluation/evaluation.hpp"
#include "scoring/scoring.hpp"

namespace patchioner {

/// What a report is made of.
struct EvaluationResult {
  std::string settings;  ///< of the records
  CaptionCounts counts;
  ScoreReport scores;
  ScoringOptions scoring;  ///< with the metrics that were asked for
  double scoring_seconds = 0;
};

/// metrics.json (docs/evaluation.md): the scores as `score` writes them, the plugins, the data set, counts,
/// times, and every file that decided the numbers with its digest.
nlohmann::ordered_json metrics_json(const Evaluation& evaluation, const Dataset& dataset,
                                    const EvaluationResult& result);

}  // namespace patchioner
