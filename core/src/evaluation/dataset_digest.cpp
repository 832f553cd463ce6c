#include "evaluation/dataset_digest.hpp"

#include <fmt/format.h>

#include "data/json_text.hpp"
#include "data/region_json.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

/// Chained image by image: bounded, whatever the size of the data set.
template <class Describe>
std::string chained(const Dataset& dataset, const Describe& describe) {
  std::string text;
  for (size_t i = 0; i < dataset.size(); ++i) {
    text += describe(dataset.image(i));
    text = sha256(text);
  }
  return text;
}

}  // namespace

std::string regions_digest(const Dataset& dataset) {
  return chained(dataset, [](const DatasetImage& image) {
    std::string text = json_text(image.id) + " " + image.file_name;
    for (const DatasetRegion& region : image.regions) {
      text += " " + json_text(region_to_json({region.shape, {}}));
    }
    return text;
  });
}

std::string references_digest(const Dataset& dataset) {
  return chained(dataset, [](const DatasetImage& image) {
    std::string text;
    for (const DatasetRegion& region : image.regions) {
      text +=
          fmt::format(" {} {} {} {}", region.position, json_text(nlohmann::ordered_json(region.references)),
                      json_text(nlohmann::ordered_json(region.reference_key)), json_text(region.corners));
    }
    return text;
  });
}

}  // namespace patchioner
