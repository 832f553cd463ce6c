// What a run has come to: read from the folder of results that `eval` and sweeps leave (docs/evaluation.md).
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace patchioner {

/// A metric's value of all captions together: "CIDEr" 0.903.
struct MetricValue {
  std::string name;  ///< as metrics.json has it, "METEOR(no-paraphrase)" where that is what could be had
  double value = 0;  ///< a fraction, as metrics.json has it; mAP too; not-a-number where it has null
};

/// What mAP needs of a detection beside its METEOR.
struct ScoredDetection {
  double score = 0;
  double overlap = 0;          ///< with the box that it overlaps most
  bool is_first = false;       ///< no better detection has used the box up
  int32_t boxes_of_image = 0;  ///< that were to be found
};

/// One caption with its values.
struct ScoredItem {
  std::string place;  ///< "12.3": the fourth region of the thirteenth image of the data set
  std::string image;  ///< file name
  std::string caption;
  std::vector<std::string> references;
  /// By metric, "box_METEOR" of detections too; those that have none for this item are absent.
  std::map<std::string, double> values;
  std::optional<ScoredDetection> detection;  ///< of dense captions; lines of older versions do not say all
};

/// One config on one data set.
struct RunScores {
  std::string row;      ///< of the sweep; of a folder given by itself, its name
  std::string dataset;  ///< by its name in results ("emoji_dense")
  std::filesystem::path folder;
  bool finished = false;
  std::string failure;        ///< why there are no numbers, a sentence; empty of finished and of pending runs
  std::filesystem::path log;  ///< of a failed run, where more is said
  std::vector<MetricValue> metrics;
  size_t items = 0;
  double seconds = 0;  ///< that all its stages took, whoever computed them
  size_t images = 0;
  size_t regions = 0;
  std::string dense_variant;  ///< of dense captions, "python" or "lua"
  size_t boxes = 0;           ///< of dense captions, that were to be found

  /// By its name, or by the beginning before a '(': asked for "METEOR", "METEOR(no-paraphrase)" is found.
  const MetricValue* find(const std::string& metric) const;
};

/// Reads metrics.json of a folder of results; `seconds` are those of run.json beside it ({"stages":
/// [{"stage", "seconds"}]}, which sweeps write), else of metrics.json's "timing". Throws an Error of kind
/// data, with the file, when it is none, and of kind io when it is not there.
RunScores read_run_scores(const std::filesystem::path& folder);

/// Reads items.jsonl of the folder, in the order of the file; lines without a "place" have "#0", "#1" ...,
/// the number of their line from 0. Errors as read_run_scores, with the line.
std::vector<ScoredItem> read_scored_items(const std::filesystem::path& folder);

/// The same one at a time, for files of any size.
void visit_scored_items(const std::filesystem::path& folder,
                        const std::function<void(ScoredItem&& item)>& visit);

}  // namespace patchioner
