// The scores as a table and as JSON (docs/evaluation.md).
#include <cmath>
#include <cstdio>

#include "score.hpp"

namespace patchioner::score_command {
namespace {

/// What decides the values, so that two files can be compared.
Json options_json(const ScoreReport& report, const ScoreArguments& arguments) {
  Json options = {{"tokenizer", arguments.tokenizer},
                  {"sanitize_line_breaks", arguments.sanitize_line_breaks},
                  {"cider", arguments.cider},
                  {"cider_df", arguments.cider_df.empty() ? "corpus" : arguments.cider_df},
                  {"meteor_data", arguments.meteor_data},
                  {"meteor_fallback", arguments.meteor_fallback},
                  {"match", arguments.match},
                  {"boxes", arguments.boxes},
                  {"intersection", arguments.intersection}};
  if (report.dense) {
    options["dense_variant"] = arguments.dense_variant;
    options["count_empty_images"] = arguments.count_empty_images;
  }
  if (!arguments.clip.empty()) {
    options["clip"] = arguments.clip;
  }
  if (!arguments.pac.empty()) {
    options["pac"] = arguments.pac;
    options["refpac"] = arguments.refpac;
  }
  return options;
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

void print_boxes(const DenseReport& boxes) {
  fmt::print("\n{} detections in {} images; {} true boxes, {} after those that overlap by 0.7 became one\n",
             boxes.detections, boxes.images - boxes.skipped, boxes.true_boxes, boxes.merged_boxes);
  fmt::print("{:<28} {:.3f}\n", "mean overlap with the best", boxes.mean_overlap);
  for (size_t i = 0; i < kDenseOverlaps.size(); ++i) {
    fmt::print("{:<28} {} ({:.1f} %)\n", fmt::format("found at IoU {:g}", kDenseOverlaps[i]), boxes.found[i],
               boxes.merged_boxes == 0
                   ? 0.0
                   : 100.0 * static_cast<double>(boxes.found[i]) / static_cast<double>(boxes.merged_boxes));
  }
}

}  // namespace

Json to_json(const ScoreReport& report, const ScoreArguments& arguments) {
  Json json = {{"predictions", report.predictions},
               {"references", report.references},
               {"task", report.task},
               {"items", report.items},
               {"predictions_left_out", report.counts.predictions_left_out},
               {"references_left_out", report.counts.references_left_out},
               {"empty_captions", report.counts.empty_captions},
               {"options", options_json(report, arguments)},
               {"metrics", Json::object()}};
  for (const CaptionScores& score : report.metrics) {
    json["metrics"][score.name] = score.scores.corpus;
  }
  if (report.boxes && report.dense) {
    json["boxes"] = boxes_json(*report.boxes, *report.dense);
  }
  json["notes"] = report.notes;
  return json;
}

void print_table(const ScoreReport& report, bool x100) {
  fmt::print("{:<28} {}\n", "metric", x100 ? "value x100" : "value");
  for (const CaptionScores& score : report.metrics) {
    constexpr double kPercent = 100;
    fmt::print("{:<28} {}\n", score.name,
               x100 ? fmt::format("{:.2f}", score.scores.corpus * kPercent)
                    : fmt::format("{:.4f}", score.scores.corpus));
  }
  if (report.boxes) {
    print_boxes(*report.boxes);
  }
}

}  // namespace patchioner::score_command
