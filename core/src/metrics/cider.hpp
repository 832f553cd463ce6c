// CIDEr and CIDEr-D (spec/05 section 6).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "metrics/ngrams.hpp"

namespace patchioner {

enum class CiderForm {
  d,      ///< CIDEr-D: counts clipped, unequal lengths punished; what coco-caption calls CIDEr
  plain,  ///< the cosine alone
};

/// In how many documents n-grams occur.
struct DocumentFrequencies {
  double documents = 0;
  std::vector<std::pair<std::string, double>> ngrams;  ///< words joined by spaces, and their documents

  /// Reads {"num_docs": N, "df": {"a dog": 12, ...}}. Throws Error: io, or data when the file is no such
  /// table.
  static DocumentFrequencies read(const std::filesystem::path& file);
};

/// Ten times the mean, over n = 1 ... 4 and the references, of how alike the TF-IDF vectors of n-grams are
/// (Vedantam et al. 2015). Without `frequencies` those of the references themselves count, a segment being a
/// document: a single segment then scores 0, since ln 1 is 0. The corpus value is the mean. A segment without
/// references scores 0.
SegmentScores cider_scores(CountedSegments& counted, CiderForm form,
                           const DocumentFrequencies* frequencies = nullptr);

}  // namespace patchioner
