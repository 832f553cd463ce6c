// One config on one data set: every region captioned once, kept as it comes, scored at the end (spec/05
// section 1, spec/01 sections 7 to 10).
#pragma once

#include <filesystem>

#include "evaluation/evaluation_report.hpp"
#include "runtime/captioner.hpp"

namespace patchioner {

struct EvaluationOutcome {
  bool finished = false;  ///< false after an interrupt: the same call goes on
  std::filesystem::path folder;
  EvaluationResult result;
  nlohmann::ordered_json metrics;  ///< what metrics.json holds
};

/// Captions what is not captioned yet, then scores and writes into <output>/<name> (EvaluationFiles,
/// docs/evaluation.md). What earlier calls left of results is taken away before the work; records stay,
/// unless `restart` begins anew. Throws Error: usage when the records were made with other settings, and for
/// metrics that cannot be had; data when something has no caption and `failures` is refuse; io, also when
/// another process is at work in the folder; and what reading and scoring throw. Images are read by other
/// threads, a few at a time. `memory` is that of other evaluations scored by the same models, or null.
EvaluationOutcome run_evaluation(const Evaluation& evaluation, const Captioner& captioner, bool restart,
                                 ScoringMemory* memory = nullptr);

}  // namespace patchioner
