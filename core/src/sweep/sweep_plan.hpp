// What a sweep comes to: every run resolved, split into stages, and equal stages found, before any weight is
// read (design, "Sweeps").
#pragma once

#include <memory>
#include <patchioner/aggregator.hpp>
#include <string>
#include <vector>

#include "cache/stage_cache.hpp"
#include "evaluation/evaluation.hpp"
#include "sweep/sweep_data.hpp"
#include "sweep/sweep_file.hpp"

namespace patchioner {

/// A stage, once for all runs that share it.
struct PlannedStage {
  StageKey key;
  std::string plugin;          ///< whose work it is: "talk2dino", "memory", "plain"; of scores the data set
  size_t amount = 0;           ///< images of encode, regions of the others
  std::string settings;        ///< what decides its output: the text under the digest
  size_t run = 0;              ///< the first run that needs it, whose config it is done with
  std::vector<size_t> inputs;  ///< places of the stages that it reads
  /// Of an encoding of whole images: the digests of the images, sorted, each once; null of one of regions.
  std::shared_ptr<const std::vector<std::string>> images;
  bool all_features = false;  ///< of encode: patches and attention too, not the global token alone
};

/// A row on a data set.
struct PlannedRun {
  size_t row = 0;      ///< its place in Sweep::rows
  size_t dataset = 0;  ///< its place in Sweep::datasets
  std::shared_ptr<const Evaluation> evaluation;
  std::shared_ptr<const SweepData> data;
  FeatureSource source = FeatureSource::patches;
  ScoringOptions scoring;            ///< with the metrics that will be asked for
  std::vector<size_t> stages;        ///< places in SweepPlan::stages, in the order of their stages
  std::vector<std::string> missing;  ///< sentences: what is not there that it needs; such a run has no stages
  std::filesystem::path folder;      ///< of its results
};

struct SweepPlan {
  Sweep sweep;
  std::vector<PlannedRun> runs;      ///< row by row
  std::vector<PlannedStage> stages;  ///< so that what is encoded once is used up before the next encoding
  std::vector<std::string> missing;  ///< of all runs, each once

  std::string run_name(const PlannedRun& run) const;  ///< "CLIP on emoji_dense"
};

/// What is sought for the runs of a sweep: their plugins and data sets. Kept by whoever runs the plan.
class SweepHost {
 public:
  /// `cache` is the cache's folder, where digests of files are remembered; it need not be there.
  explicit SweepHost(const std::filesystem::path& cache);

  PluginHost& plugins() { return *plugins_; }
  SweepDatasets& datasets() { return datasets_; }
  FileDigests& digests() { return digests_; }
  /// Searches these folders for plugins from now on.
  void search(std::vector<std::filesystem::path> directories);

 private:
  std::unique_ptr<PluginHost> plugins_;
  FileDigests digests_;
  SweepDatasets datasets_;
};

/// Resolves all runs. Throws an Error of kind config, with the place of the row, for a run whose config is
/// wrong in any way that can be known without reading weights; what is not there (weights, data sets, images,
/// files of metrics) is noted in `missing`.
SweepPlan plan_sweep(Sweep sweep, SweepHost& host);

/// A sentence for each number of stages: "encode 6, aggregate 18 ..."; of those in `places`.
std::string stage_counts(const SweepPlan& plan, const std::vector<size_t>& places);

/// The stages that have to be computed for the given runs as far as `cache` does not hold them: what a
/// finished stage has read is not needed any more. In the order of SweepPlan::stages.
std::vector<size_t> stages_to_compute(const SweepPlan& plan, const std::vector<size_t>& runs,
                                      const StageCache& cache);

}  // namespace patchioner
