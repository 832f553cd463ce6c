// A page of the best, the worst and some other captions of an evaluation.
#pragma once

#include <filesystem>

#include "evaluation/dataset_captions.hpp"
#include "evaluation/evaluation.hpp"
#include "runtime/captioner.hpp"
#include "scoring/scoring.hpp"

namespace patchioner {

/// Throws an Error of kind config, naming those that there are, when captions will have no values of
/// `options.examples_by`; `metrics` are those that are scored.
void check_ordering(const EvaluationOptions& options, const std::vector<std::string>& metrics);

/// The metric whose values order the items: `options.examples_by`, whatever it is called where its data are
/// not whole, or the first of CIDEr, METEOR, ROUGE_L, Bleu_4 ... that items have values of; empty when they
/// have none.
std::string ordering_metric(const ScoreReport& report, const EvaluationOptions& options);

/// Writes the page: `options.examples` of each kind, each image with its region drawn, patch weights over it,
/// the caption, its references and its scores. Items of equal value stand in the order of the predictions;
/// the random ones follow from `options.seed`. Images that cannot be read any more are shown with the reason.
/// Throws an Error of kind io when the page cannot be written.
void write_evaluation_page(const Evaluation& evaluation, const Dataset& dataset, const Captioner& captioner,
                           const DatasetPredictions& predictions, const ScoreReport& report,
                           const std::filesystem::path& file);

}  // namespace patchioner
