#include "scoring/scoring.hpp"

#include <algorithm>
#include <patchioner/error.hpp>

#include "metrics/meteor.hpp"
#include "scoring/metric_choice.hpp"
#include "scoring/metric_options.hpp"
#include "scoring/scoring_clip.hpp"

namespace patchioner {

using Json = nlohmann::ordered_json;

void ScoreReport::note(const std::string& sentence) {
  if (!sentence.empty() && std::find(notes.begin(), notes.end(), sentence) == notes.end()) {
    notes.push_back(sentence);
  }
}

namespace {

/// One line a prediction, in their order; those left out have none.
class ItemLines {
 public:
  explicit ItemLines(const Predictions& predictions)
      : predictions_(predictions), lines_(predictions.items.size()) {}

  /// The line of a prediction, begun when it is new.
  Json& of(size_t index, const std::string& id) {
    Json& line = lines_[index];
    if (line.is_null()) {
      const Prediction& prediction = predictions_.items[index];
      line = {{"id", id}};
      if (!prediction.file_name.empty()) {
        line["file_name"] = prediction.file_name;
      }
      line["caption"] = prediction.caption;
    }
    return line;
  }

  void give_to(ScoreReport& report) {
    for (size_t i = 0; i < lines_.size(); ++i) {
      if (!lines_[i].is_null()) {
        report.lines.push_back(std::move(lines_[i]));
        report.line_predictions.push_back(i);
      }
    }
  }

 private:
  const Predictions& predictions_;
  std::vector<Json> lines_;
};

/// Scores one set of predictions into a report.
class Scoring {
 public:
  Scoring(const ScoringInput& input, const ScoringOptions& options)
      : input_(input),
        options_(options),
        metrics_(metrics_to_score(input.is_dense, options)),
        lines_(*input.predictions) {}

  ScoreReport score() {
    report_.task = input_.is_dense                ? "dense"
                   : input_.references != nullptr ? to_string(input_.references->task())
                                                  : "lists";
    if (!chosen(metrics_, dense_metric_names()).empty()) {
      const DenseItems items = dense_items(*input_.predictions, *input_.references, input_.pairing);
      add_counts(items.counts);
      score_boxes(items);
    }
    leave_out_what_cannot_be_shown();
    if (chosen(metrics_, dense_metric_names()).size() < metrics_.size()) {
      const ScoreItems items = input_.references != nullptr
                                   ? score_items(*input_.predictions, *input_.references, input_.pairing)
                                   : score_items(*input_.predictions);
      add_counts(items.counts);
      score_captions_of(items);
    }
    sort_metrics();
    lines_.give_to(report_);
    return std::move(report_);
  }

 private:
  void add_counts(const PairingCounts& counts) {
    report_.counts = counts;
    for (const std::string& sentence : counts.notes) {
      report_.note(sentence);
    }
  }

  void add(const std::string& metric, CaptionScores scores) {
    report_.note(scores.note);
    asked_as_.push_back(metric);
    report_.metrics.push_back(std::move(scores));
  }

  bool look_at_images() const {
    return std::any_of(metrics_.begin(), metrics_.end(),
                       [&](const std::string& metric) { return needs_images(metric, options_); });
  }

  /// Default metrics are those that can be had: CLIP-S of a patch is none, while RefPAC-S of it is.
  void leave_out_what_cannot_be_shown() {
    const std::vector<Prediction>& items = input_.predictions->items;
    const auto hidden = std::find_if(items.begin(), items.end(), [](const Prediction& prediction) {
      return !can_be_shown(prediction.shape);
    });
    if (!options_.metrics.empty() || hidden == items.end()) {
      return;
    }
    const size_t erased =
        std::erase_if(metrics_, [&](const std::string& metric) { return needs_images(metric, options_); });
    if (erased > 0) {
      report_.note(fmt::format("CLIP-S and PAC-S are left out: there is no such image of a {}",
                               kind_name(hidden->shape)));
    }
  }

  /// Files of traces in this form do not say what was traced.
  void note_lists_without_regions() {
    const std::vector<Prediction>& items = input_.predictions->items;
    if (look_at_images() && input_.predictions->have_references() &&
        std::all_of(items.begin(), items.end(), [](const Prediction& prediction) {
          return std::holds_alternative<WholeImage>(prediction.shape);
        })) {
      report_.note(
          "these predictions do not say of which regions they are: CLIP-S and PAC-S are of the whole "
          "images");
    }
  }

  void score_boxes(const DenseItems& items) {
    const DenseOptions options{
        .variant = options_.dense_variant == "lua" ? DenseVariant::lua : DenseVariant::python,
        .count_empty_images = options_.count_empty_images};
    const DenseMatches matches = match_detections(items.images, options);
    if (matches.records.empty()) {
      throw Error(ErrorKind::data, "predictions and references have no image in common to be scored");
    }
    const MeteorResult meteor =
        meteor_scores(segments_of(matches), MeteorData::open(caption_options(options_, true).meteor));
    const std::vector<double> meteors = meteor.scores().segments;
    report_.items = matches.records.size();
    report_.boxes = dense_report(items.images, matches, input_.predictions->boxes_were_corners);
    report_.dense = dense_scores(matches, meteors, options);
    if (is_one_of("map", metrics_)) {
      const std::string missing = meteor.name.substr(std::string("METEOR").size());  // "(no-paraphrase)"
      add("map", {"map" + missing, {report_.dense->map, {}}, meteor.missing});
    }
    if (is_one_of("detmap", metrics_)) {
      add("detmap", {"detmap", {report_.dense->detection_map, {}}, {}});
    }
    for (const std::string& warning : report_.boxes->warnings) {
      report_.note(warning);
    }
    if (matches.skipped > 0) {
      report_.note(
          fmt::format("no predictions for {} of {} images, whose boxes do not count as missed, as in "
                      "the reference; the option count_empty_images counts them",
                      matches.skipped, items.images.size()));
    }
    for (size_t i = 0; i < matches.records.size(); ++i) {
      const DenseRecord& record = matches.records[i];
      Json& line =
          lines_.of(items.predictions[record.image][record.detection], items.images[record.image].id);
      line["box"] = items.images[record.image].boxes[record.detection];
      line["score"] = record.score;
      line["overlap"] = record.overlap;
      line["first_of_its_box"] = record.is_first;
      line["boxes_of_image"] = matches.truths[record.image].boxes.size();
      line["box_references"] = record.references;
      line["box_" + meteor.name] = meteors[i];
    }
  }

  void score_captions_of(const ScoreItems& items) {
    if (items.captions.empty()) {
      throw Error(ErrorKind::data, "predictions and references have nothing in common to be scored");
    }
    report_.items = items.captions.size();
    const CaptionScoreOptions options = caption_options(options_, input_.is_dense);
    const size_t before = report_.metrics.size();
    if (const auto wanted = chosen(metrics_, caption_metric_names()); !wanted.empty()) {
      std::vector<CaptionScores> scores = score_captions(items.captions, wanted, options);
      for (size_t i = 0; i < wanted.size(); ++i) {
        add(wanted[i], std::move(scores[i]));
      }
    }
    if (is_one_of("SPICE", metrics_)) {
      SpiceScores scores =
          spice_scores(items.captions, score_words(items.captions, options), spice_options(options_));
      add("SPICE", std::move(scores.all));
      report_.spice_categories = std::move(scores.categories);
    }
    note_lists_without_regions();
    if (look_at_images()) {
      report_.orientation = input_.orientation;
    }
    for (CaptionScores& scores : embedding_metrics(items, input_, metrics_, options_)) {
      const std::string metric = scores.name;
      add(metric, std::move(scores));
    }
    for (size_t i = 0; i < items.captions.size(); ++i) {
      Json& line = lines_.of(items.predictions[i], items.captions[i].id);
      line["references"] = items.captions[i].references;
      for (size_t j = before; j < report_.metrics.size(); ++j) {
        line[report_.metrics[j].name] = report_.metrics[j].scores.segments[i];
      }
    }
  }

  /// The order in which metrics were asked for.
  void sort_metrics() {
    std::vector<CaptionScores> sorted;
    for (const std::string& metric : metrics_) {
      const auto place = std::find(asked_as_.begin(), asked_as_.end(), metric) - asked_as_.begin();
      sorted.push_back(std::move(report_.metrics[static_cast<size_t>(place)]));
    }
    report_.metrics = std::move(sorted);
  }

  const ScoringInput& input_;
  const ScoringOptions& options_;
  std::vector<std::string> metrics_;
  ItemLines lines_;
  ScoreReport report_;
  std::vector<std::string> asked_as_;  ///< of each of the report's metrics, what it was asked for as
};

}  // namespace

ScoreReport score_predictions(const ScoringInput& input, const ScoringOptions& options) {
  if (input.is_dense && input.references == nullptr) {
    throw Error(ErrorKind::usage, "dense captions are scored against references with boxes");
  }
  return Scoring(input, options).score();
}

}  // namespace patchioner
