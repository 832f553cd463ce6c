// What the parts of `patchioner score` share.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "metrics/dense_report.hpp"
#include "metrics/score_items.hpp"

namespace patchioner::score_command {

using Json = nlohmann::ordered_json;

/// The command line.
struct ScoreArguments {
  std::string predictions;
  std::vector<std::string> references;
  std::string captions;
  std::string format = "auto";
  std::string split = "test";
  std::string boxes = "auto";
  std::string match = "id";
  std::string task = "auto";
  bool intersection = false;
  std::vector<std::string> metrics;
  std::string tokenizer = "ptb";
  bool sanitize_line_breaks = false;
  std::string cider = "D";
  std::string cider_df;
  std::string meteor_data;
  std::string meteor_fallback = "wordnet";
  std::string dense_variant = "python";
  bool count_empty_images = false;
  std::string clip;
  std::string pac;
  std::string refpac = "reference";
  std::vector<std::string> images;
  bool json = false;
  bool x100 = false;
  std::string output;
  std::string per_item;
  bool force = false;
  bool quiet = false;
};

/// What came out.
struct ScoreReport {
  Json predictions;  ///< name of the file
  Json references;   ///< names of the files; null for a file that carries its own
  std::string task;
  size_t items = 0;  ///< captions that were scored
  std::vector<CaptionScores> metrics;
  PairingCounts counts;
  std::vector<std::string> notes;  ///< sentences, each once
  std::optional<DenseReport> boxes;
  std::optional<DenseScores> dense;
  std::vector<Json> lines;  ///< of --per-item

  void note(const std::string& sentence);
};

/// "CLIP-S", "RefCLIP-S" and "PAC-S", "RefPAC-S": what a model of the first two, and of the second, gives.
const std::vector<std::string>& clip_metric_names();
const std::vector<std::string>& pac_metric_names();

/// The wanted ones of these metrics, in the order asked for. Captions must be of whole images. Throws Error
/// of kind usage when the model or the folders of images are not named, data when an image is not there.
std::vector<CaptionScores> embedding_metrics(const ScoreItems& items, const Predictions& predictions,
                                             const std::vector<std::string>& wanted,
                                             const ScoreArguments& arguments);

Json to_json(const ScoreReport& report, const ScoreArguments& arguments);
void print_table(const ScoreReport& report, bool x100);

}  // namespace patchioner::score_command
