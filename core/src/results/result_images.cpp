#include "results/result_images.hpp"

#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "evaluation/dataset_section.hpp"
#include "evaluation/evaluation_files.hpp"
#include "evaluation/evaluation_options.hpp"
#include "report/encode.hpp"
#include "results/paired_items.hpp"

namespace patchioner {
namespace {

constexpr int64_t kShownSide = 1600;  // pixels; the page shrinks further

/// The image at the item's place, when it is still that item's.
DatasetImage image_of(const Dataset& dataset, const ScoredItem& item) {
  const RegionPlace place = region_place(item.place);
  if (place.image < dataset.size()) {
    DatasetImage image = dataset.image(place.image);
    if (place.region < image.regions.size() && image.file_name == item.image) {
      return image;
    }
  }
  throw Error(ErrorKind::data,
              "{}: is no longer at the place {} of the data set, which has changed since the run", item.image,
              item.place);
}

}  // namespace

ResultImages::ResultImages(std::shared_ptr<const Dataset> dataset, ExifOrientation orientation,
                           std::optional<ImageSpec> grid)
    : dataset_(std::move(dataset)), orientation_(orientation), grid_(std::move(grid)) {}

ResultImages ResultImages::open(const std::filesystem::path& folder) {
  const Value config = read_yaml(EvaluationFiles(folder).config);
  const bool apply = read_evaluation_options(config).exif == "apply";
  return {std::make_shared<const Dataset>(Dataset::open(read_dataset_section(config).options)),
          apply ? ExifOrientation::apply : ExifOrientation::ignore};
}

ShownImage ResultImages::shown(const ScoredItem& item) const {
  ShownImage shown;
  shown.title = item.image;
  ShownRegion& region = shown.regions.emplace_back();
  try {
    const DatasetImage image = image_of(*dataset_, item);
    const DatasetRegion& found = image.regions[region_place(item.place).region];
    region.region = {found.shape, found.id};
    if (image.path.empty()) {
      throw Error(ErrorKind::data, "{}: is in none of the folders of dataset.images", image.file_name);
    }
    const Image read = read_image(image.path, orientation_);
    if (grid_) {
      shown.geometry = geometry_of(*grid_, read.width(), read.height());
    } else {
      shown.geometry.image_width = read.width();
      shown.geometry.image_height = read.height();
    }
    shown.pixels = shrink(read.pixels, kShownSide);
  } catch (const std::exception& error) {
    shown.error = error.what();
  }
  return shown;
}

ShownAnswer answer_of(const ScoredItem& item, const std::string& from,
                      const std::vector<std::string>& metrics) {
  ShownAnswer answer;
  answer.from = from;
  answer.caption = item.caption;
  answer.references = item.references;
  for (const auto& [name, value] : item.values) {
    if (metrics.empty() || std::find(metrics.begin(), metrics.end(), name) != metrics.end()) {
      answer.measures.push_back({name, value});
    }
  }
  return answer;
}

}  // namespace patchioner
