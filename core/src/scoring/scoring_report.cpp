// The scores as JSON, as a table and as CSV (docs/evaluation.md).
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "scoring/scoring.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

/// What decides the values, so that two files can be compared.
Json options_json(const ScoreReport& report, const ScoringOptions& options) {
  Json json = {{"tokenizer", options.tokenizer},
               {"sanitize_line_breaks", options.sanitize_line_breaks},
               {"cider", options.cider},
               {"cider_df", options.cider_df.empty() ? "corpus" : options.cider_df},
               {"meteor_data", options.meteor_data},
               {"meteor_fallback", options.meteor_fallback},
               {"spice", options.spice}};
  if (!options.spice_tuples.empty()) {
    json["spice_tuples"] = options.spice_tuples;
  }
  if (!options.spice_jar.empty()) {
    json["spice_jar"] = options.spice_jar;
  }
  if (report.dense) {
    json["dense_variant"] = options.dense_variant;
    json["count_empty_images"] = options.count_empty_images;
  }
  if (!options.clip.empty()) {
    json["clip"] = options.clip;
  }
  if (!options.pac.empty()) {
    json["pac"] = options.pac;
    json["refpac"] = options.refpac;
  }
  if (report.orientation) {
    json["exif"] = *report.orientation == ExifOrientation::apply ? "apply" : "ignore";
  }
  return json;
}

Json boxes_json(const DenseReport& boxes, const DenseScores& scores) {
  Json json = {{"images", boxes.images},
               {"images_without_predictions", boxes.skipped},
               {"detections", boxes.detections},
               {"true_boxes", boxes.true_boxes},
               {"merged_boxes", boxes.merged_boxes},
               {"mean_overlap", boxes.mean_overlap},
               {"found", Json::object()},
               {"detection_precisions", Json::object()},
               {"precisions", Json::object()}};
  for (size_t i = 0; i < kDenseOverlaps.size(); ++i) {
    const std::string overlap = fmt::format("iou_{:g}", kDenseOverlaps[i]);
    json["found"][overlap] = boxes.found[i];
    json["detection_precisions"][overlap] = scores.detections[i];
    for (size_t j = 0; j < kDenseMeteors.size(); ++j) {
      json["precisions"][fmt::format("{}_meteor_{:g}", overlap, kDenseMeteors[j])] = scores.precisions[i][j];
    }
  }
  return json;
}

std::string boxes_table(const DenseReport& boxes) {
  std::string table = fmt::format(
      "\n{} detections in {} images; {} true boxes, {} after those that overlap by 0.7 became one\n",
      boxes.detections, boxes.images - boxes.skipped, boxes.true_boxes, boxes.merged_boxes);
  table += fmt::format("{:<28} {:.3f}\n", "mean overlap with the best", boxes.mean_overlap);
  for (size_t i = 0; i < kDenseOverlaps.size(); ++i) {
    table += fmt::format(
        "{:<28} {} ({:.1f} %)\n", fmt::format("found at IoU {:g}", kDenseOverlaps[i]), boxes.found[i],
        boxes.merged_boxes == 0
            ? 0.0
            : 100.0 * static_cast<double>(boxes.found[i]) / static_cast<double>(boxes.merged_boxes));
  }
  return table;
}

/// Of all items; what has no value, as a category of SPICE without tuples, does not count.
double standard_deviation(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  return std::sqrt(squares / count);
}

/// "METEOR(no-paraphrase)" is a METEOR, "CIDEr_plain" a CIDEr.
bool is_form_of(const std::string& name, const std::string& metric) {
  return name == metric || name.starts_with(metric + "(") || name == metric + "_plain";
}

/// The order of papers' tables, B M R C S P, of dense captions mAP M B R C S P (spec/01 section 11); what no
/// table has comes behind.
std::vector<const CaptionScores*> in_table_order(const ScoreReport& report) {
  std::vector<std::string> order = {"Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "METEOR"};
  if (report.task == "dense") {
    order = {"map", "METEOR", "Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4"};
  }
  order.insert(order.end(), {"ROUGE_L", "CIDEr", "SPICE", "RefPAC-S"});
  const auto place_of = [&](const CaptionScores* scores) {
    return std::find_if(order.begin(), order.end(),
                        [&](const std::string& metric) { return is_form_of(scores->name, metric); }) -
           order.begin();
  };
  std::vector<const CaptionScores*> sorted;
  for (const CaptionScores& scores : report.metrics) {
    sorted.push_back(&scores);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [&](const CaptionScores* left, const CaptionScores* right) {
    return place_of(left) < place_of(right);
  });
  return sorted;
}

}  // namespace

Json to_json(const ScoreReport& report, const ScoringOptions& options) {
  Json json = {{"task", report.task},
               {"items", report.items},
               {"predictions_left_out", report.counts.predictions_left_out},
               {"references_left_out", report.counts.references_left_out},
               {"empty_captions", report.counts.empty_captions},
               {"options", options_json(report, options)},
               {"metrics", Json::object()},
               {"std", Json::object()}};
  for (const CaptionScores& score : report.metrics) {
    json["metrics"][score.name] = score.scores.corpus;
    if (!score.scores.segments.empty()) {
      json["std"][score.name] = standard_deviation(score.scores.segments);
    }
  }
  for (const CaptionScores& category : report.spice_categories) {
    const double value = category.scores.corpus;
    json["spice"][category.name] = std::isnan(value) ? Json() : Json(value);
  }
  if (report.boxes && report.dense) {
    json["boxes"] = boxes_json(*report.boxes, *report.dense);
  }
  json["notes"] = report.notes;
  return json;
}

std::string score_table(const ScoreReport& report, bool x100) {
  std::string table = fmt::format("{:<28} {}\n", "metric", x100 ? "value x100" : "value");
  for (const CaptionScores& score : report.metrics) {
    constexpr double kPercent = 100;
    table += fmt::format("{:<28} {}\n", score.name,
                         x100 ? fmt::format("{:.2f}", score.scores.corpus * kPercent)
                              : fmt::format("{:.4f}", score.scores.corpus));
  }
  if (report.boxes) {
    table += boxes_table(*report.boxes);
  }
  return table;
}

std::string score_csv(const ScoreReport& report) {
  const bool is_rounded = report.task == "region_set" || report.task == "trace" || report.task == "lists";
  const auto written = [&](double value) {
    constexpr double kThousandths = 1e3;
    constexpr double kTenthsOfPercent = 10;
    return std::isnan(value) ? std::string()
           : is_rounded      ? fmt::format("{:.1f}", std::nearbyint(value * kThousandths) / kTenthsOfPercent)
                             : fmt::format("{}", value);
  };
  std::vector<std::string> names;
  std::vector<std::string> values;
  const std::vector<const CaptionScores*> sorted = in_table_order(report);
  for (const CaptionScores* scores : sorted) {
    names.push_back(scores->name);
    values.push_back(written(scores->scores.corpus));
  }
  for (const CaptionScores* scores : sorted) {
    if (!scores->scores.segments.empty()) {
      names.push_back(scores->name + "_std");
      values.push_back(written(standard_deviation(scores->scores.segments)));
    }
  }
  return fmt::format("{}\n{}\n", fmt::join(names, ","), fmt::join(values, ","));
}

}  // namespace patchioner
