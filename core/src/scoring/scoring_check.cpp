// What can be known of a scoring before there is anything to score.
#include <algorithm>
#include <patchioner/error.hpp>

#include "data/dataset_reading.hpp"
#include "metrics/meteor_data.hpp"
#include "scoring/metric_choice.hpp"
#include "scoring/metric_options.hpp"
#include "scoring/scoring.hpp"
#include "scoring/scoring_clip.hpp"
#include "scoring/scoring_model.hpp"

namespace patchioner {
namespace {

/// The metrics without those that are only there by default and cannot be had of these regions.
std::vector<std::string> metrics_with_images(const Dataset& references, std::vector<std::string> metrics,
                                             const ScoringOptions& options) {
  const auto looks = [&](const std::string& metric) { return needs_images(metric, options); };
  if (std::none_of(metrics.begin(), metrics.end(), looks)) {
    return metrics;
  }
  bool is_found = false;
  for (size_t i = 0; i < references.size(); ++i) {
    const DatasetImage image = references.image(i);
    is_found = is_found || !image.path.empty();
    for (const DatasetRegion& region : image.regions) {
      if (options.metrics.empty() && !can_be_shown(region.shape)) {
        std::erase_if(metrics, looks);
        return metrics;
      }
      check_shown(region.shape, metrics, fmt::format("{}: image {}", references.name(), id_text(image.id)));
    }
  }
  if (!is_found) {
    throw Error(
        ErrorKind::usage,
        "CLIP-S and PAC-S look at the images, and none of them is found; name their folder by --images "
        "(dataset.images of a config)");
  }
  return metrics;
}

}  // namespace

void check_scoring(const Dataset& references, bool is_dense, const ScoringOptions& options) {
  const std::vector<std::string> metrics =
      metrics_with_images(references, metrics_to_score(is_dense, options), options);
  for (const auto& [model, names] :
       {std::pair(&options.clip, &clip_metric_names()), std::pair(&options.pac, &pac_metric_names())}) {
    if (!chosen(metrics, *names).empty()) {
      find_scoring_model(*model);
    }
  }
  const CaptionScoreOptions of_captions = caption_options(options, is_dense);
  if (is_one_of("METEOR", metrics) || !chosen(metrics, dense_metric_names()).empty()) {
    MeteorData::open(of_captions.meteor);
  }
  if (is_one_of("CIDEr", metrics) && !of_captions.cider_df.empty()) {
    DocumentFrequencies::read(of_captions.cider_df);
  }
  if (is_one_of("SPICE", metrics)) {
    check_spice(spice_options(options));
  }
}

}  // namespace patchioner
