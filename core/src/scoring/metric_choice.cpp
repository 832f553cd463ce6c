#include "scoring/metric_choice.hpp"

#include <algorithm>
#include <patchioner/error.hpp>

#include "metrics/caption_scores.hpp"
#include "scoring/scoring_clip.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

/// The model that a metric needs, by its name, is not named.
void refuse_without_model(const std::string& metric, const ScoringOptions& options) {
  const bool of_clip = is_one_of(metric, clip_metric_names());
  const bool of_pac = is_one_of(metric, pac_metric_names());
  if ((of_clip && options.clip.empty()) || (of_pac && options.pac.empty())) {
    throw Error(ErrorKind::usage,
                "{} needs --{} (score.{} of a config): a config whose backbone is the CLIP to score with, or "
                "that CLIP's checkpoint",
                metric, of_clip ? "clip" : "pac", of_clip ? "clip" : "pac");
  }
}

}  // namespace

bool is_one_of(const std::string& name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> chosen(const std::vector<std::string>& metrics,
                                const std::vector<std::string>& names) {
  std::vector<std::string> result;
  for (const std::string& metric : metrics) {
    if (is_one_of(metric, names)) {
      result.push_back(metric);
    }
  }
  return result;
}

const std::vector<std::string>& dense_metric_names() {
  static const std::vector<std::string> names = {"map", "detmap"};
  return names;
}

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = caption_metric_names();
    all.emplace_back("SPICE");
    for (const auto* more : {&dense_metric_names(), &clip_metric_names(), &pac_metric_names()}) {
      all.insert(all.end(), more->begin(), more->end());
    }
    return all;
  }();
  return names;
}

void check_metric_names(const std::vector<std::string>& metrics) {
  for (size_t i = 0; i < metrics.size(); ++i) {
    if (!is_one_of(metrics[i], metric_names())) {
      throw Error(ErrorKind::usage, "there is no metric '{}'{}", metrics[i],
                  suggestion(metrics[i], metric_names()));
    }
    if (std::find(metrics.begin(), metrics.begin() + static_cast<ptrdiff_t>(i), metrics[i]) !=
        metrics.begin() + static_cast<ptrdiff_t>(i)) {
      throw Error(ErrorKind::usage, "the metric {} is asked for twice", metrics[i]);
    }
  }
}

std::vector<std::string> default_metrics(bool is_dense, const ScoringOptions& options) {
  std::vector<std::string> metrics = dense_metric_names();
  if (!is_dense) {
    metrics = caption_metric_names();
    metrics.emplace_back("SPICE");
  }
  for (const auto& [model, names] :
       {std::pair(&options.clip, &clip_metric_names()), std::pair(&options.pac, &pac_metric_names())}) {
    for (const std::string& name : *names) {
      if (!model->empty() && (is_dense || !name.ends_with("_cropped"))) {
        metrics.push_back(name);
      }
    }
  }
  return metrics;
}

std::vector<std::string> metrics_to_score(bool is_dense, const ScoringOptions& options) {
  check_metric_names(options.metrics);
  std::vector<std::string> metrics =
      options.metrics.empty() ? default_metrics(is_dense, options) : options.metrics;
  for (const std::string& metric : metrics) {
    if (!is_dense && is_one_of(metric, dense_metric_names())) {
      throw Error(ErrorKind::usage,
                  "{} is a metric of dense captions, as which these are not scored; `score` has --task dense",
                  metric);
    }
    refuse_without_model(metric, options);
  }
  return metrics;
}

}  // namespace patchioner
