#include "sweep/sweep_data.hpp"

#include <fmt/ranges.h>

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "config/value_key.hpp"
#include "evaluation/dataset_digest.hpp"
#include "support/files.hpp"
#include "support/printable.hpp"
#include "support/progress.hpp"

namespace patchioner {

std::shared_ptr<const SweepData> SweepDatasets::open(const Evaluation& evaluation) {
  const std::string key = fmt::format("{} {} {}", key_of(evaluation.config.at("dataset")),
                                      evaluation.options.limit, evaluation.options.exif);
  std::shared_ptr<const SweepData>& known = opened_[key];
  if (known != nullptr) {
    return known;
  }
  auto data = std::make_shared<SweepData>();
  data->orientation = evaluation.orientation();
  try {
    auto dataset = std::make_shared<Dataset>(Dataset::open(evaluation.dataset.options));
    for (const std::string& line : dataset->problems().summary()) {
      log(LogLevel::warning, "{}: {}", evaluation.name(), printable(line));
    }
    data->all_images = dataset->size();
    if (evaluation.options.limit > 0) {
      dataset->keep_first(static_cast<size_t>(evaluation.options.limit));
    }
    // Each image is read the first time that a sweep has it. Where that was quick, nothing was drawn.
    Progress progress("looking at " + evaluation.name(), "images", dataset->size());
    for (size_t i = 0; i < dataset->size(); ++i) {
      const DatasetImage image = dataset->image(i);
      data->images.push_back(image.path.empty() ? std::string()
                                                : digests_.of(image.path) + evaluation.options.exif);
      progress.advance();
    }
    data->images_digest = sha256(fmt::format("{}", fmt::join(data->images, "\n")));
    data->regions = regions_digest(*dataset);
    data->references = references_digest(*dataset);
    data->dataset = std::move(dataset);
  } catch (const Error& error) {
    data->problem = error.what();
  }
  known = std::move(data);
  return known;
}

}  // namespace patchioner
