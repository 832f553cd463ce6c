// Lines of items.jsonl of dense captions, made up.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "results/run_scores.hpp"

namespace patchioner {

/// A detection of an image, in which `boxes` were to be found.
inline ScoredItem dense_item(size_t image, size_t region, double score, double meteor, int32_t boxes,
                             bool is_first = true) {
  ScoredItem item;
  item.place = fmt::format("{}.{}", image, region);
  item.image = fmt::format("{}.jpg", image);
  item.values = {{"box_METEOR(no-paraphrase)", meteor}};
  item.detection =
      ScoredDetection{.score = score, .overlap = 1, .is_first = is_first, .boxes_of_image = boxes};
  return item;
}

/// One caption for each of one to seven boxes of every image, as when given boxes are captioned. METEORs are
/// alike within an image and raise the scores somewhat; no two scores are equal. `better` is added to METEOR.
inline std::vector<ScoredItem> dense_items_of(size_t images, uint64_t seed, double better = 0) {
  std::mt19937_64 random(seed);
  std::mt19937_64 boxes_random(1);  // the same boxes for whatever seed
  const auto noise = [&] {
    double sum = -6;  // Irwin-Hall: nearly normal, the same on every machine
    for (int i = 0; i < 12; ++i) {
      sum += static_cast<double>(random() >> 11) * 0x1p-53;
    }
    return sum;
  };
  std::vector<ScoredItem> items;
  for (size_t image = 0; image < images; ++image) {
    const auto boxes = static_cast<int32_t>(1 + boxes_random() % 7);
    const double of_image = 0.08 * noise();
    for (int32_t i = 0; i < boxes; ++i) {
      const double meteor = std::max(0.0, 0.15 + better + of_image + 0.15 * noise());
      items.push_back(
          dense_item(image, static_cast<size_t>(i), 0.3 * meteor + 0.15 * noise(), meteor, boxes));
    }
  }
  return items;
}

/// The same item as a line of the file.
inline std::string dense_line(const ScoredItem& item) {
  return fmt::format(
      "{{\"place\": \"{}\", \"file_name\": \"{}\", \"score\": {}, \"overlap\": {}, \"first_of_its_box\": {}, "
      "\"boxes_of_image\": {}, \"box_METEOR(no-paraphrase)\": {}}}\n",
      item.place, item.image, item.detection->score, item.detection->overlap, item.detection->is_first,
      item.detection->boxes_of_image, item.values.at("box_METEOR(no-paraphrase)"));
}

inline std::string dense_text(const std::vector<ScoredItem>& items) {
  std::string text;
  for (const ScoredItem& item : items) {
    text += dense_line(item);
  }
  return text;
}

}  // namespace patchioner
