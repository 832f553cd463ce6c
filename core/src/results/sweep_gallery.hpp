// Which images of a data set a sweep's page shows, with what every row said of them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "report/page.hpp"
#include "results/paired_items.hpp"
#include "results/result_images.hpp"

namespace patchioner {

/// One row's results on the data set.
struct GalleryRun {
  std::string row;
  std::string name;  ///< what it is called
  std::filesystem::path folder;
  double value = 0;  ///< of all captions together; larger is better
};

struct GalleryOptions {
  std::string metric;    ///< that orders items; empty: the first of CIDEr, METEOR, ROUGE_L ... they have
  std::string baseline;  ///< a row; empty or none of the runs: the worst one
  size_t examples = 8;
  uint64_t seed = 42;
};

/// The run of the largest value but the baseline's, and that which it is held against; both the same when
/// there is one run. `runs` are at least one.
std::pair<size_t, size_t> best_and_baseline(const std::vector<GalleryRun>& runs, const std::string& baseline);

/// Of more than `most` runs (at least 3) that many, in their order: both of best_and_baseline, the worst, and
/// others between the largest value and the smallest in equal steps.
std::vector<GalleryRun> runs_to_show(const std::vector<GalleryRun>& runs, const std::string& baseline,
                                     size_t most);

/// The images of one data set: where the best row gained most over the baseline, where it lost most, and some
/// at random.
class SweepGallery {
 public:
  static constexpr size_t kMostAnswers = 24;  ///< beside a region; more could not be read

  /// Reads the results of `runs`, which are at least one, one after another; of more than kMostAnswers those
  /// of runs_to_show. Throws Error as read_scored_items and pair_items.
  SweepGallery(const std::vector<GalleryRun>& runs, const GalleryOptions& options);

  /// Adds its sections to the page. Throws an Error of kind io when the page cannot be written.
  void write(PageWriter& page, const std::string& title, const ResultImages& images) const;

 private:
  /// A place that is shown.
  struct Example {
    std::string place;
    double difference = 0;  ///< of the metric, best less baseline
  };
  void read_examples(const GalleryOptions& options);
  void show(PageWriter& page, const ResultImages& images, const std::vector<Example>& examples) const;

  std::vector<GalleryRun> runs_;  ///< that are shown
  std::string left_out_note_;     ///< empty: all are shown
  size_t best_ = 0;
  size_t baseline_ = 0;
  std::string metric_;
  std::vector<Example> gained_;
  std::vector<Example> lost_;
  std::vector<Example> random_;
  std::string random_note_;
  /// What each run said at the places that are shown, parallel to the runs; nullopt: it left that place out.
  std::map<std::string, std::vector<std::optional<ScoredItem>>> said_;
};

}  // namespace patchioner
