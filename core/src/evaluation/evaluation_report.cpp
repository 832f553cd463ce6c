#include "evaluation/evaluation_report.hpp"

#include <ATen/Parallel.h>

#include "runtime/plugin_sections.hpp"
#include "runtime/runtime_options.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

Json file_json(const std::string& key, const std::filesystem::path& path, const std::string& digest) {
  return {{"key", key}, {"path", path.string()}, {"digest", digest}};
}

/// The files of plugins, data set and metrics.
Json files_json(const Evaluation& evaluation, const ScoringOptions& scoring) {
  Json files = Json::array();
  for (const NamedFile& file : evaluation.settings.files) {
    files.push_back(file_json(file.key, file.path, file.digest));
  }
  const auto add = [&](const std::string& key, const std::filesystem::path& path) {
    std::error_code unreadable;
    if (!path.empty() && std::filesystem::exists(path, unreadable)) {
      files.push_back(file_json(key, path, content_digest(path)));
    }
  };
  const DatasetOptions& dataset = evaluation.dataset.options;
  for (const std::filesystem::path& file : dataset.files) {
    add("dataset.files", file);
  }
  add("dataset.references", dataset.references);
  add("dataset.splits", dataset.splits);
  add("dataset.image_data", dataset.image_data);
  add("score.meteor_data", scoring.meteor_data);
  add("score.cider_df", scoring.cider_df);
  add("score.spice_tuples", scoring.spice_tuples);
  add("score.spice_jar", scoring.spice_jar);
  add("score.clip", scoring.clip);
  add("score.pac", scoring.pac);
  return files;
}

}  // namespace

Json metrics_json(const Evaluation& evaluation, const Dataset& dataset, const EvaluationResult& result) {
  const CaptionCounts& counts = result.counts;
  const auto a_second = [&](size_t count) {
    return counts.seconds > 0 ? static_cast<double>(count) / counts.seconds : 0.0;
  };
  Json json = {
      {"name", evaluation.name()}, {"settings", result.settings}, {"chain", plugin_chain(evaluation.config)}};
  json.update(to_json(result.scores, result.scoring));
  json["dataset"] = {{"format", to_string(dataset.format())},
                     {"images", dataset.size()},
                     {"regions", dataset.region_count()}};
  json["captioned"] = {{"images", counts.images},
                       {"regions", counts.regions},
                       {"failed", counts.failed},
                       {"warnings", counts.warnings}};
  json["timing"] = {{"captioning_seconds", counts.seconds},
                    {"images_per_second", a_second(counts.images)},
                    {"regions_per_second", a_second(counts.regions)},
                    {"scoring_seconds", result.scoring_seconds}};
  const RuntimeOptions runtime = read_runtime_options(evaluation.config);
  json["runtime"] = {{"device", device_of(runtime).str()},
                     {"precision", runtime.precision},
                     {"threads", at::get_num_threads()},
                     {"batch", runtime.batch}};
  json["files"] = files_json(evaluation, result.scoring);
  return json;
}

}  // namespace patchioner
