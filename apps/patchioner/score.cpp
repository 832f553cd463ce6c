// patchioner score: captions that anybody made against references, without any model.
#include "score.hpp"

#include <cstdio>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "commands.hpp"
#include "metrics/meteor.hpp"
#include "support/files.hpp"
#include "support/nearest_name.hpp"
#include "support/printable.hpp"
#include "support/progress.hpp"

namespace patchioner {
namespace score_command {

void ScoreReport::note(const std::string& sentence) {
  if (!sentence.empty() && std::find(notes.begin(), notes.end(), sentence) == notes.end()) {
    notes.push_back(sentence);
  }
}

namespace {

const std::vector<std::string> kDenseMetrics = {"map", "detmap"};

bool is_one_of(const std::string& name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Which of the metrics asked for are of these.
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

void check_metrics(const std::vector<std::string>& metrics) {
  std::vector<std::string> known = caption_metric_names();
  for (const auto* more : {&kDenseMetrics, &clip_metric_names(), &pac_metric_names()}) {
    known.insert(known.end(), more->begin(), more->end());
  }
  for (size_t i = 0; i < metrics.size(); ++i) {
    if (!is_one_of(metrics[i], known)) {
      throw Error(ErrorKind::usage, "--metrics: there is no metric '{}'{}", metrics[i],
                  suggestion(metrics[i], known));
    }
    if (std::find(metrics.begin(), metrics.begin() + static_cast<ptrdiff_t>(i), metrics[i]) !=
        metrics.begin() + static_cast<ptrdiff_t>(i)) {
      throw Error(ErrorKind::usage, "--metrics names {} twice", metrics[i]);
    }
  }
}

CaptionScoreOptions score_options(const ScoreArguments& arguments, bool is_dense) {
  CaptionScoreOptions options;
  options.tokenizer = arguments.tokenizer == "ptb" ? ScoreTokenizer::ptb : ScoreTokenizer::whitespace;
  options.sanitize_line_breaks = arguments.sanitize_line_breaks;
  options.cider = arguments.cider == "plain" ? CiderForm::plain : CiderForm::d;
  options.cider_df = arguments.cider_df;
  options.meteor.data = arguments.meteor_data;
  options.meteor.fallback =
      arguments.meteor_fallback == "none" ? MeteorFallback::none : MeteorFallback::wordnet;
  options.meteor_input = is_dense ? MeteorInput::raw : MeteorInput::words;
  return options;
}

PairingOptions pairing_options(const ScoreArguments& arguments) {
  return {.intersection = arguments.intersection,
          .match = arguments.match == "file" ? ImageMatch::file : ImageMatch::id};
}

std::optional<Dataset> open_references(const ScoreArguments& arguments, const Predictions& predictions) {
  if (predictions.have_references()) {
    if (!arguments.references.empty()) {
      throw Error(ErrorKind::usage, "{} carries its own references (\"gt_captions\"); leave --references out",
                  arguments.predictions);
    }
    return std::nullopt;
  }
  if (arguments.references.empty()) {
    throw Error(ErrorKind::usage, "{} has no references of its own; name a file of them by --references",
                arguments.predictions);
  }
  DatasetOptions options;
  options.files = {arguments.references.begin(), arguments.references.end()};
  options.references = arguments.captions;
  options.format = dataset_format_from(arguments.format);
  options.split = arguments.split;
  return Dataset::open(options);
}

/// One line a prediction, in the order of the file; those left out have none.
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

  std::vector<Json> take() {
    std::erase_if(lines_, [](const Json& line) { return line.is_null(); });
    return std::move(lines_);
  }

 private:
  const Predictions& predictions_;
  std::vector<Json> lines_;
};

void add_counts(ScoreReport& report, const PairingCounts& counts) {
  report.counts = counts;
  for (const std::string& sentence : counts.notes) {
    report.note(sentence);
  }
}

void score_captions_of(const ScoreItems& items, const Predictions& predictions,
                       const std::vector<std::string>& metrics, const ScoreArguments& arguments,
                       bool is_dense, ScoreReport& report, ItemLines& lines) {
  if (items.captions.empty()) {
    throw Error(ErrorKind::data, "predictions and references have nothing in common to be scored");
  }
  std::vector<CaptionScores> scores;
  if (const auto wanted = chosen(metrics, caption_metric_names()); !wanted.empty()) {
    scores = score_captions(items.captions, wanted, score_options(arguments, is_dense));
  }
  for (CaptionScores& score : embedding_metrics(items, predictions, metrics, arguments)) {
    scores.push_back(std::move(score));
  }
  report.items = items.captions.size();
  for (size_t i = 0; i < items.captions.size(); ++i) {
    Json& line = lines.of(items.predictions[i], items.captions[i].id);
    line["references"] = items.captions[i].references;
    for (const CaptionScores& score : scores) {
      line[score.name] = score.scores.segments[i];
    }
  }
  for (CaptionScores& score : scores) {
    report.note(score.note);
    report.metrics.push_back(std::move(score));
  }
}

void score_boxes(const DenseItems& items, bool boxes_were_corners, const std::vector<std::string>& metrics,
                 const ScoreArguments& arguments, ScoreReport& report, ItemLines& lines) {
  const DenseOptions options{
      .variant = arguments.dense_variant == "lua" ? DenseVariant::lua : DenseVariant::python,
      .count_empty_images = arguments.count_empty_images};
  const DenseMatches matches = match_detections(items.images, options);
  if (matches.records.empty()) {
    throw Error(ErrorKind::data, "predictions and references have no image in common to be scored");
  }
  const MeteorResult meteor =
      meteor_scores(segments_of(matches), MeteorData::open(score_options(arguments, true).meteor));
  const std::vector<double> meteors = meteor.scores().segments;
  report.items = matches.records.size();
  report.boxes = dense_report(items.images, matches, boxes_were_corners);
  report.dense = dense_scores(matches, meteors, options);
  const std::string missing = meteor.name.substr(std::string("METEOR").size());  // "(no-paraphrase)"
  for (const std::string& metric : metrics) {
    if (metric == "map") {
      report.metrics.push_back({metric + missing, {report.dense->map, {}}, {}});
      report.note(meteor.missing);
    } else if (metric == "detmap") {
      report.metrics.push_back({metric, {report.dense->detection_map, {}}, {}});
    }
  }
  for (const std::string& warning : report.boxes->warnings) {
    report.note(warning);
  }
  if (matches.skipped > 0) {
    report.note(
        fmt::format("no predictions for {} of {} images, whose boxes do not count as missed, as in "
                    "the reference; --count-empty-images counts them",
                    matches.skipped, items.images.size()));
  }
  for (size_t i = 0; i < matches.records.size(); ++i) {
    const DenseRecord& record = matches.records[i];
    Json& line = lines.of(items.predictions[record.image][record.detection], items.images[record.image].id);
    line["box"] = items.images[record.image].boxes[record.detection];
    line["score"] = record.score;
    line["overlap"] = record.overlap;
    line["first_of_its_box"] = record.is_first;
    line["box_references"] = record.references;
    line["box_" + meteor.name] = meteors[i];
  }
}

bool is_dense_task(const ScoreArguments& arguments, const std::optional<Dataset>& references) {
  const bool dense_file = references && references->task() == DatasetTask::dense;
  if (arguments.task == "dense" && !references) {
    throw Error(ErrorKind::usage,
                "--task dense needs --references: {} carries captions without boxes of "
                "their own",
                arguments.predictions);
  }
  return arguments.task == "dense" || (arguments.task == "auto" && dense_file);
}

ScoreReport score(const ScoreArguments& arguments) {
  const Predictions predictions = read_predictions(arguments.predictions, box_numbers_from(arguments.boxes));
  const std::optional<Dataset> references = open_references(arguments, predictions);
  const bool is_dense = is_dense_task(arguments, references);
  std::vector<std::string> metrics = arguments.metrics;
  if (metrics.empty()) {
    metrics = is_dense ? kDenseMetrics : caption_metric_names();
    for (const auto& [model, names] :
         {std::pair(&arguments.clip, &clip_metric_names()), std::pair(&arguments.pac, &pac_metric_names())}) {
      if (!model->empty()) {
        metrics.insert(metrics.end(), names->begin(), names->end());
      }
    }
  }
  const std::vector<std::string> of_boxes = chosen(metrics, kDenseMetrics);
  if (!of_boxes.empty() && !is_dense) {
    throw Error(ErrorKind::usage, "--metrics {}: this is a metric of dense captions; give --task dense",
                of_boxes.front());
  }
  ScoreReport report;
  report.predictions = arguments.predictions;
  report.references = references ? Json(arguments.references) : Json();
  report.task = is_dense ? "dense" : references ? to_string(references->task()) : "lists";
  ItemLines lines(predictions);
  if (!of_boxes.empty()) {
    const DenseItems items = dense_items(predictions, *references, pairing_options(arguments));
    add_counts(report, items.counts);
    score_boxes(items, predictions.boxes_were_corners, of_boxes, arguments, report, lines);
  }
  if (of_boxes.size() < metrics.size()) {
    const ScoreItems items = references ? score_items(predictions, *references, pairing_options(arguments))
                                        : score_items(predictions);
    add_counts(report, items.counts);
    score_captions_of(items, predictions, metrics, arguments, is_dense, report, lines);
  }
  report.lines = lines.take();
  return report;
}

void check_outputs(const ScoreArguments& arguments) {
  for (const std::string& file : {arguments.output, arguments.per_item}) {
    if (!file.empty() && !arguments.force && std::filesystem::exists(file)) {
      throw Error(ErrorKind::usage, "{}: exists; replace it by --force", file);
    }
  }
  if (!arguments.output.empty() && arguments.output == arguments.per_item) {
    throw Error(ErrorKind::usage, "--output and --per-item name one file: {}", arguments.output);
  }
}

std::string dumped(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

void run_score(const ScoreArguments& arguments) {
  Progress::set_enabled(!arguments.quiet);
  check_metrics(arguments.metrics);
  check_outputs(arguments);
  const ScoreReport report = score(arguments);
  for (const std::string& sentence : report.notes) {
    log(LogLevel::warning, "{}", printable(sentence));
  }
  constexpr int kIndent = 2;
  const std::string json = dumped(to_json(report, arguments), kIndent);
  if (!arguments.per_item.empty()) {
    make_folder_of(arguments.per_item);
    AtomicFile file(arguments.per_item);
    for (const Json& line : report.lines) {
      file.write(dumped(line, -1));
    }
    file.commit();
  }
  if (!arguments.output.empty()) {
    make_folder_of(arguments.output);
    write_file(arguments.output, json);
  }
  if (arguments.json) {
    fmt::print("{}", json);
  } else {
    print_table(report, arguments.x100);
  }
}

void add_input_options(CLI::App& command, ScoreArguments& arguments) {
  command
      .add_option(
          "-p,--predictions", arguments.predictions,
          "Captions: COCO results, COCO files with annotations, lists of predictions and gt_captions, "
          "records of `caption --output`")
      ->required();
  command
      .add_option("-r,--references", arguments.references,
                  "What people said: any annotation file of `patchioner dataset`; may be repeated for files "
                  "in parts")
      ->allow_extra_args(false);
  command.add_option("--captions", arguments.captions,
                     "COCO captions with the references of an image list that has none");
  command
      .add_option("--format", arguments.format, "Format of the references, as `patchioner dataset` says it")
      ->capture_default_str();
  command.add_option("--split", arguments.split, "Of references with splits (Karpathy, Visual Genome ...)")
      ->capture_default_str();
  command
      .add_option("--task", arguments.task,
                  "captions: each held against its references; dense: boxes and captions together; auto: "
                  "dense where the references are")
      ->check(CLI::IsMember({"auto", "captions", "dense"}))
      ->capture_default_str();
  command.add_option("--match", arguments.match, "Predictions find their image by its id or its file's name")
      ->check(CLI::IsMember({"id", "file"}))
      ->capture_default_str();
  command
      .add_option("--boxes", arguments.boxes,
                  "Numbers of a predicted box: xywh (COCO's), corners (x1,y1,x2,y2), auto: corners in COCO "
                  "files with annotations, xywh elsewhere")
      ->check(CLI::IsMember({"auto", "corners", "xywh"}))
      ->capture_default_str();
  command.add_flag("--intersection", arguments.intersection,
                   "Score what both have and say how much was left out; otherwise that is an error");
}

void add_metric_options(CLI::App& command, ScoreArguments& arguments) {
  command
      .add_option("-m,--metrics", arguments.metrics,
                  "Separated by commas: Bleu_1 to Bleu_4, METEOR, ROUGE_L, CIDEr (all by default); map, "
                  "detmap (those of dense captions); CLIP-S, RefCLIP-S, PAC-S, RefPAC-S")
      ->delimiter(',');
  command
      .add_option("--tokenizer", arguments.tokenizer,
                  "ptb: as all published numbers; whitespace: captions are words already")
      ->check(CLI::IsMember({"ptb", "whitespace"}))
      ->capture_default_str();
  command.add_flag(
      "--sanitize-line-breaks", arguments.sanitize_line_breaks,
      "Line ends inside captions are spaces; otherwise some move all captions behind them, as in "
      "the reference tools");
  command.add_option("--cider", arguments.cider, "D: what coco-caption calls CIDEr; plain: the cosine alone")
      ->check(CLI::IsMember({"D", "plain"}))
      ->capture_default_str();
  command.add_option("--cider-df", arguments.cider_df,
                     "Document frequencies {\"num_docs\", \"df\"}; otherwise those of the references");
  command.add_option("--meteor-data", arguments.meteor_data,
                     "METEOR's data: a folder, or meteor-1.5.jar with paraphrase-en.gz beside it");
  command
      .add_option("--meteor-fallback", arguments.meteor_fallback,
                  "Without METEOR's data: wordnet: an installed WordNet, under another name; none: an error")
      ->check(CLI::IsMember({"wordnet", "none"}))
      ->capture_default_str();
  command
      .add_option("--dense-variant", arguments.dense_variant,
                  "python: as the paper evaluates; lua: DenseCap's own evaluator")
      ->check(CLI::IsMember({"python", "lua"}))
      ->capture_default_str();
  command.add_flag("--count-empty-images", arguments.count_empty_images,
                   "Boxes of images without predictions are missed, unlike in the reference");
  command.add_option("--clip", arguments.clip,
                     "Config whose backbone is the CLIP of CLIP-S and RefCLIP-S (published: ViT-B/32)");
  command.add_option("--pac", arguments.pac,
                     "Config whose backbone is the CLIP of PAC-S and RefPAC-S, with PAC-S's weights");
  command
      .add_option("--refpac", arguments.refpac,
                  "reference: RefPAC-S as the paper reports it, texts alone; original: PAC-S's own formula")
      ->check(CLI::IsMember({"reference", "original"}))
      ->capture_default_str();
  command
      .add_option("-i,--images", arguments.images,
                  "Folder of the images, for --clip and --pac; may be repeated")
      ->allow_extra_args(false);
}

void add_output_options(CLI::App& command, ScoreArguments& arguments) {
  command.add_flag("--json", arguments.json, "One JSON object on standard output instead of a table");
  command.add_flag("--x100", arguments.x100, "Values of the table times 100");
  command.add_option("-o,--output", arguments.output, "Write the JSON object to this file");
  command.add_option("--per-item", arguments.per_item,
                     "Write the scores of each caption to this file, as JSON lines");
  command.add_flag("-f,--force", arguments.force, "Replace files of these names");
  command.add_flag("-q,--quiet", arguments.quiet, "No progress line");
}

}  // namespace
}  // namespace score_command

void add_score_command(CommandLine& line) {
  CLI::App* command = line.app.add_subcommand("score", "Score captions, of this or any other program");
  auto arguments = std::make_shared<score_command::ScoreArguments>();
  score_command::add_input_options(*command, *arguments);
  score_command::add_metric_options(*command, *arguments);
  score_command::add_output_options(*command, *arguments);
  command->footer(
      "Examples:\n  patchioner score -p results.json -r captions_val2014.json --meteor-data meteor/\n"
      "  patchioner score -p dense_results.json -r dense_test.json --task dense -o metrics.json");
  command->callback([arguments] { score_command::run_score(*arguments); });
}

}  // namespace patchioner
