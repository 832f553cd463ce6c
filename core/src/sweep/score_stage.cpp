// Captions held against references, and the files of results made of them.
#include <chrono>
#include <cmath>
#include <fstream>
#include <patchioner/error.hpp>

#include "data/dataset_reading.hpp"
#include "evaluation/evaluation_results.hpp"
#include "runtime/runtime_options.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"
#include "sweep/part_work.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr size_t kMostFailures = 5;

/// The captions of a part, one a region.
std::vector<RegionCaption> read_captions(const StageEntry& entry, size_t part, size_t& warnings) {
  const fs::path file = entry.part(part_name(part, ".jsonl"));
  std::vector<RegionCaption> captions;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const Json record = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!record.is_object()) {
      throw DamagedEntry(entry.key(),
                         fmt::format("{}: line {} is no record", file.string(), captions.size() + 1));
    }
    RegionCaption& caption = captions.emplace_back();
    caption.caption = record.value("caption", "");
    caption.error = record.value("error", "");
    caption.score = record.contains("score") && record["score"].is_number() ? record["score"].get<double>()
                                                                            : std::nan("");
    warnings += record.value("warnings", size_t{0});
  }
  return captions;
}

DatasetCaptions captions_of(const StageEntry& entry, const SweepData& data) {
  DatasetCaptions all;
  CaptionCounts& counts = all.counts;
  counts.images = data.dataset->size();
  for (size_t part = 0; part < part_count(counts.images); ++part) {
    std::vector<RegionCaption> captions = read_captions(entry, part, counts.warnings);
    size_t next = 0;
    const ImageRange range = images_of_part(data, part);
    for (size_t i = range.first; i < range.first + range.count; ++i) {
      const DatasetImage image = data.dataset->image(i);
      if (next + image.regions.size() > captions.size()) {
        throw DamagedEntry(entry.key(), fmt::format("{}: the part {} has {} captions, fewer than regions",
                                                    to_string(entry.key()), part, captions.size()));
      }
      ImageCaptions& one = all.images.emplace_back();
      for (size_t j = 0; j < image.regions.size(); ++j) {
        one.regions.push_back(std::move(captions[next++]));
        ++counts.regions;
        if (!one.regions.back().error.empty()) {
          ++counts.failed;
          if (counts.failures.size() < kMostFailures) {
            counts.failures.push_back(
                fmt::format("image {}, region {}: {}", id_text(image.id), j + 1, one.regions.back().error));
          }
        }
      }
    }
  }
  return all;
}

/// What captioning the run's images took by itself: the encoding of more images than the run has counts in
/// proportion.
double captioning_seconds(const StageWork& work) {
  double seconds = 0;
  for (const size_t place : work.run().stages) {
    const PlannedStage& stage = work.plan.stages[place];
    if (const auto entry = work.cache.open(stage.key); entry != nullptr) {
      seconds += entry->seconds() * share_of(work.run(), stage);
    }
  }
  return seconds;
}

}  // namespace

double share_of(const PlannedRun& run, const PlannedStage& stage) {
  return stage.images == nullptr || stage.amount == 0
             ? 1.0
             : std::min(1.0,
                        static_cast<double>(run.data->dataset->size()) / static_cast<double>(stage.amount));
}

StageEnd score_captions(const StageWork& work) {
  const auto start = std::chrono::steady_clock::now();
  const PlannedRun& run = work.run();
  const Evaluation& evaluation = *run.evaluation;
  const DatasetCaptions captions = [&] {
    DatasetCaptions read = captions_of(*open_input(work, 0), *run.data);
    read.counts.seconds = captioning_seconds(work);
    return read;
  }();
  check_failures(evaluation, captions.counts);
  EvaluationResult result;
  result.settings = work.stage.key.digest;
  result.counts = captions.counts;
  result.scoring = run.scoring;
  std::optional<Captioner> captioner;
  if (evaluation.options.examples > 0) {
    const RuntimeOptions runtime = read_runtime_options(evaluation.config);
    captioner.emplace(
        CaptionerParts{work.plugins.backbone(evaluation.config), work.plugins.aggregator(evaluation.config),
                       work.plugins.gaps(evaluation.config), work.plugins.decoder(evaluation.config)},
        runtime.batch, plugin_context(runtime).device);
  }
  const TemporaryFolder folder;
  write_results(evaluation,
                {.dataset = *run.data->dataset,
                 .all_images = run.data->all_images,
                 .captions = captions,
                 .captioner = captioner ? &*captioner : nullptr,
                 .memory = &work.scoring},
                EvaluationFiles(folder.path()), result);
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator(folder.path())) {
    files.push_back(file.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    const std::string name = file.filename().string();
    if (!work.lease.put(name, [&](const fs::path& target) {
          fs::copy_file(file, target, fs::copy_options::overwrite_existing);
        })) {
      return StageEnd::lost;
    }
  }
  work.progress(work.stage.amount);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return finish_stage(work, seconds);
}

}  // namespace patchioner
