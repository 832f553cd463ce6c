// The images behind a folder of results, to show items with their regions drawn.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "data/dataset.hpp"
#include "image/image.hpp"
#include "report/shown.hpp"
#include "results/run_scores.hpp"

namespace patchioner {

/// [any-thread]
class ResultImages {
 public:
  /// `grid` says how the patches of a backbone lie; without it patches are named and not drawn.
  ResultImages(std::shared_ptr<const Dataset> dataset, ExifOrientation orientation,
               std::optional<ImageSpec> grid = std::nullopt);

  /// The data set that the folder's config.yaml names. Throws Error as read_dataset_section and
  /// Dataset::open.
  static ResultImages open(const std::filesystem::path& folder);

  /// The item's image with its region, which has no answers yet. What cannot be read or found any more is
  /// said in the image's `error`; nothing is thrown.
  ShownImage shown(const ScoredItem& item) const;

 private:
  std::shared_ptr<const Dataset> dataset_;
  ExifOrientation orientation_;
  std::optional<ImageSpec> grid_;
};

/// What a run said of an item: its caption and its values of `metrics`, of all of them when that is empty.
ShownAnswer answer_of(const ScoredItem& item, const std::string& from,
                      const std::vector<std::string>& metrics = {});

}  // namespace patchioner
