// Two runs on one data set against one another: first how their configs differ, then what that made of the
// numbers, then of which items.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <patchioner/value.hpp>
#include <string>
#include <vector>

#include "results/paired_bootstrap.hpp"
#include "results/result_images.hpp"
#include "results/run_scores.hpp"

namespace patchioner {

struct ComparisonOptions {
  std::string metric;   ///< that orders items; empty: the first of CIDEr, METEOR, ROUGE_L ... there is
  size_t examples = 8;  ///< of gained items, and of lost ones
  int64_t resamples = 2000;
  uint64_t seed = 42;
};

/// A key on which two configs disagree.
struct ConfigDifference {
  std::string path;        ///< "gap.temperature"; entries of lists by their place, "gap.0.temperature"
  std::optional<Value> a;  ///< nullopt: there is no such key
  std::optional<Value> b;
};

/// The keys on which two resolved configs disagree, in the order of `a` with those that only `b` has behind
/// them, section by section. A `gap` of one map is a list of one where the other has a list. Where results
/// go (evaluate.output) does not matter.
std::vector<ConfigDifference> config_differences(const Value& a, const Value& b);

/// A value of a config as it is shown: text as it is, "" for an empty one, lists as JSON, "(absent)" for no
/// key.
std::string shown_setting(const std::optional<Value>& value);

/// One metric of all captions together, and of the items that both runs have.
struct MetricComparison {
  std::string name;
  std::optional<double> a;
  std::optional<double> b;
  /// b against a, of mAP over the images that both have; nullopt where items have no values of it.
  std::optional<PairedDifference> items;
};

/// An item that b captioned better, or worse.
struct ChangedItem {
  ScoredItem a;
  ScoredItem b;
  double difference = 0;  ///< of the metric that orders items, b less a
};

struct RunComparison {
  std::string name_a;  ///< the folders' names as far as they differ
  std::string name_b;
  RunScores a;
  RunScores b;
  std::vector<ConfigDifference> config;
  std::vector<MetricComparison> metrics;
  std::vector<std::string> notes;  ///< why mAP has no interval: a sentence a reason
  size_t paired = 0;               ///< items of both
  size_t only_a = 0;               ///< items that the other run left out
  size_t only_b = 0;
  std::string metric;  ///< that orders items; empty when they have no values
  std::vector<ChangedItem> gained;
  std::vector<ChangedItem> lost;
};

/// Reads two folders of results, of `eval` or of a sweep. Throws an Error of kind usage when they are of
/// different data sets, or when items have no values of `options.metric`; errors of reading as
/// read_run_scores.
RunComparison compare_runs(const std::filesystem::path& a, const std::filesystem::path& b,
                           const ComparisonOptions& options);

/// For a terminal.
std::string comparison_text(const RunComparison& comparison);

nlohmann::ordered_json to_json(const RunComparison& comparison);

/// One HTML page: the same, with the images of gained and lost items. Throws an Error of kind io.
void write_comparison_page(const RunComparison& comparison, const ResultImages& images,
                           const std::filesystem::path& file);

}  // namespace patchioner
