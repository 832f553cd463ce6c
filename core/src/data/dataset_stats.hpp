// How large a data set is.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "data/dataset.hpp"

namespace patchioner {

/// Smallest, mean and largest of some numbers.
struct Spread {
  uint64_t count = 0;
  double sum = 0;
  double least = 0;
  double most = 0;
  void add(double value);
  double mean() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
};

struct DatasetStats {
  uint64_t images = 0;
  uint64_t images_found = 0;
  uint64_t regions = 0;
  Spread regions_an_image;
  Spread references_a_region;
  Spread words_a_reference;     ///< parts between white space
  uint64_t distinct_words = 0;  ///< in lower case (ASCII), punctuation belongs to the word
  Spread boxes_a_set;           ///< of region sets
  Spread points_a_trace;
  Spread covered;  ///< part of its image that a single box covers, where the image's size is known
};

DatasetStats stats_of(const Dataset& dataset);

/// {"images": .., "words_a_reference": {"count", "min", "mean", "max"}, ...}; spreads of nothing are left
/// out.
nlohmann::ordered_json to_json(const DatasetStats& stats);

/// Decodes every image that was found, and tells `problems` what cannot be read, has another size than its
/// annotations say, or is left by a box whose image had no size there. Shows progress. Stops at an interrupt
/// and then returns false.
bool check_images(const Dataset& dataset, DatasetProblems& problems);

}  // namespace patchioner
