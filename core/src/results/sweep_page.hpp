// A whole sweep on one page: its table, plots of what its factors and costs come to, and images with what
// every row said of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "results/result_images.hpp"
#include "results/result_table.hpp"
#include "results/run_scores.hpp"

namespace patchioner {

/// What a page is made of.
struct SweepPage {
  const ResultTable& table;
  const std::vector<RunScores>& runs;
  /// Of a grid: by row, its factors with the name of the value that the row has.
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> factors = {};
  /// The images of a data set, asked for once each; may be empty: then those that the config of a finished
  /// run names. What it throws stands on the page in place of the images.
  std::function<std::shared_ptr<const ResultImages>(const std::string& dataset)> images = {};
  std::string metric = {};  ///< that orders items; empty: the first of CIDEr, METEOR, ROUGE_L ... they have
  int64_t examples = 8;     ///< per data set: gained, lost and random ones, of each; 0: none
  uint64_t seed = 42;       ///< of the random ones
};

/// Writes one self-contained HTML page. Plots show, of each data set, the column of CIDEr or else its first.
/// What the best row gained and lost is counted against the baseline, or against the worst row where there is
/// none. Of many rows no more than SweepGallery::kMostAnswers say something of an image. Results that cannot
/// be read (any more) are named on the page. Throws an Error of kind io when the page cannot be written.
void write_sweep_page(const SweepPage& page, const std::filesystem::path& file);

}  // namespace patchioner
