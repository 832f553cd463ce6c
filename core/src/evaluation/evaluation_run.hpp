// One config on one data set: every region captioned once, kept as it comes, scored at the end (spec/05
// section 1, spec/01 sections 7 to 10).
#pragma once

#include <filesystem>
#include <patchioner/value.hpp>
#include <string>
#include <vector>

#include "evaluation/dataset_captions.hpp"
#include "evaluation/evaluation_options.hpp"
#include "runtime/captioner.hpp"
#include "runtime/run_digest.hpp"
#include "scoring/scoring.hpp"

namespace patchioner {

/// What is evaluated, and what its results say of it.
struct Evaluation {
  std::string name;              ///< of the data set
  Value config;                  ///< complete: plugins, dataset, score, evaluate
  std::string settings;          ///< settings_digest
  std::vector<NamedFile> files;  ///< of the plugins
  EvaluationOptions options;
  ScoringOptions scoring;
};

/// `written` is a resolved document (compose). Completes it and reads its sections, so that everything that
/// is wrong with them is known before any weight is read. Throws Error.
Evaluation make_evaluation(const Value& written, PluginHost& host);

struct EvaluationOutcome {
  bool finished = false;  ///< false after an interrupt: the same call goes on
  std::filesystem::path folder;
  ScoreReport report;
  CaptionCounts counts;
};

/// Captions what is not captioned yet, then scores and writes into <output>/<name>: config.yaml,
/// records.jsonl, predictions.json, predictions_task.json, items.jsonl, metrics.json, metrics.csv, index.html
/// (docs/evaluation.md). `restart` begins anew. Throws Error: usage when the folder holds other results; data
/// when something has no caption and `failures` is refuse; and what reading and scoring throw. Images are
/// read by other threads, a few at a time.
EvaluationOutcome run_evaluation(const Evaluation& evaluation, const Captioner& captioner, bool restart);

}  // namespace patchioner
