// patchioner score: captions that anybody made against references.
#include <cstdio>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "commands.hpp"
#include "data/json_text.hpp"
#include "runtime/runtime_options.hpp"
#include "scoring/scoring.hpp"
#include "support/files.hpp"
#include "support/printable.hpp"
#include "support/progress.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

/// The command line.
struct ScoreArguments {
  std::string predictions;
  std::vector<std::string> references;
  std::string captions;
  std::string format = "auto";
  std::string split = "test";
  std::string boxes = "auto";
  std::string match = "id";
  std::string task = "auto";
  bool intersection = false;
  ScoringOptions scoring;
  std::vector<std::string> images;
  std::string device;
  std::string exif = "ignore";
  bool json = false;
  bool x100 = false;
  std::string output;
  std::string per_item;
  std::string csv;
  bool force = false;
  bool quiet = false;
};

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

ScoreReport score(const ScoreArguments& arguments, Json& references_named) {
  const Predictions predictions = read_predictions(arguments.predictions, box_numbers_from(arguments.boxes));
  const std::optional<Dataset> references = open_references(arguments, predictions);
  references_named = references ? Json(arguments.references) : Json();
  ScoringInput input;
  input.predictions = &predictions;
  input.references = references ? &*references : nullptr;
  input.pairing = {.intersection = arguments.intersection,
                   .match = arguments.match == "file" ? ImageMatch::file : ImageMatch::id};
  input.is_dense = is_dense_task(arguments, references);
  input.image_folders = {arguments.images.begin(), arguments.images.end()};
  input.device = arguments.device;
  input.orientation = arguments.exif == "apply" ? ExifOrientation::apply : ExifOrientation::ignore;
  return score_predictions(input, arguments.scoring);
}

/// The report with the files that it is of, and how they were read.
Json whole_json(const ScoreReport& report, const ScoreArguments& arguments, const Json& references) {
  Json json = {{"predictions", arguments.predictions}, {"references", references}};
  json.update(to_json(report, arguments.scoring));
  json["options"]["match"] = arguments.match;
  json["options"]["boxes"] = arguments.boxes;
  json["options"]["intersection"] = arguments.intersection;
  return json;
}

void check_outputs(const ScoreArguments& arguments) {
  const std::vector<std::pair<std::string, std::string>> files = {
      {"--output", arguments.output}, {"--per-item", arguments.per_item}, {"--csv", arguments.csv}};
  for (size_t i = 0; i < files.size(); ++i) {
    const auto& [option, file] = files[i];
    if (file.empty()) {
      continue;
    }
    if (!arguments.force && std::filesystem::exists(file)) {
      throw Error(ErrorKind::usage, "{}: exists; replace it by --force", file);
    }
    for (size_t j = 0; j < i; ++j) {
      if (files[j].second == file) {
        throw Error(ErrorKind::usage, "{} and {} name one file: {}", files[j].first, option, file);
      }
    }
  }
}

void write_to(const std::string& file, const std::string& content) {
  if (!file.empty()) {
    make_folder_of(file);
    write_file(file, content);
  }
}

void run_score(const ScoreArguments& arguments) {
  Progress::set_enabled(!arguments.quiet);
  check_metric_names(arguments.scoring.metrics);
  check_outputs(arguments);
  if (!arguments.scoring.clip.empty() || !arguments.scoring.pac.empty()) {
    apply_threads({});
  }
  Json references;
  const ScoreReport report = score(arguments, references);
  for (const std::string& sentence : report.notes) {
    log(LogLevel::warning, "{}", printable(sentence));
  }
  constexpr int kIndent = 2;
  const std::string json = json_text(whole_json(report, arguments, references), kIndent) + "\n";
  if (!arguments.per_item.empty()) {
    make_folder_of(arguments.per_item);
    AtomicFile file(arguments.per_item);
    for (const Json& line : report.lines) {
      file.write(json_text(line) + "\n");
    }
    file.commit();
  }
  write_to(arguments.csv, score_csv(report));
  write_to(arguments.output, json);
  fmt::print("{}", arguments.json ? json : score_table(report, arguments.x100));
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
  ScoringOptions& scoring = arguments.scoring;
  command
      .add_option(
          "-m,--metrics", scoring.metrics,
          "Separated by commas: Bleu_1 to Bleu_4, METEOR, ROUGE_L, CIDEr, SPICE (all by default); map, "
          "detmap (those of dense captions); CLIP-S, RefCLIP-S, PAC-S, RefPAC-S, and of boxes "
          "CLIP-S_cropped, PAC-S_cropped")
      ->delimiter(',');
  command
      .add_option("--tokenizer", scoring.tokenizer,
                  "ptb: as all published numbers; whitespace: captions are words already")
      ->check(CLI::IsMember({"ptb", "whitespace"}))
      ->capture_default_str();
  command.add_flag(
      "--sanitize-line-breaks", scoring.sanitize_line_breaks,
      "Line ends inside captions are spaces; otherwise some move all captions behind them, as in "
      "the reference tools");
  command.add_option("--cider", scoring.cider, "D: what coco-caption calls CIDEr; plain: the cosine alone")
      ->check(CLI::IsMember({"D", "plain"}))
      ->capture_default_str();
  command.add_option("--cider-df", scoring.cider_df,
                     "Document frequencies {\"num_docs\", \"df\"}; otherwise those of the references");
  command.add_option("--meteor-data", scoring.meteor_data,
                     "METEOR's data: a folder, or meteor-1.5.jar with paraphrase-en.gz beside it");
  command
      .add_option("--meteor-fallback", scoring.meteor_fallback,
                  "Without METEOR's data: wordnet: an installed WordNet, under another name; none: an error")
      ->check(CLI::IsMember({"wordnet", "none"}))
      ->capture_default_str();
  command
      .add_option(
          "--spice", scoring.spice,
          "Scene graphs from rules: the parser that ships, called SPICE(rules); tuples: --spice-tuples; "
          "java: the original program")
      ->check(CLI::IsMember({"rules", "tuples", "java"}))
      ->capture_default_str();
  command.add_option("--spice-tuples", scoring.spice_tuples,
                     "Scene graphs of all captions, JSON, for --spice tuples");
  command.add_option("--spice-jar", scoring.spice_jar,
                     "spice-1.0.jar with its lib folder beside it, for --spice java");
  command
      .add_option("--dense-variant", scoring.dense_variant,
                  "python: as the paper evaluates; lua: DenseCap's own evaluator")
      ->check(CLI::IsMember({"python", "lua"}))
      ->capture_default_str();
  command.add_flag("--count-empty-images", scoring.count_empty_images,
                   "Boxes of images without predictions are missed, unlike in the reference");
  command.add_option(
      "--clip", scoring.clip,
      "Of CLIP-S and RefCLIP-S: a config whose backbone is a CLIP, or a CLIP's checkpoint (published: "
      "ViT-B/32)");
  command.add_option("--pac", scoring.pac,
                     "Of PAC-S and RefPAC-S: PAC-S's checkpoint (clip_ViT-B-32.pth), or a config with it");
  command
      .add_option("--refpac", scoring.refpac,
                  "reference: RefPAC-S as the paper reports it, texts alone; original: PAC-S's own formula")
      ->check(CLI::IsMember({"reference", "original"}))
      ->capture_default_str();
  command
      .add_option("--device", arguments.device,
                  "Where the models of --clip and --pac compute; without it as their configs say, and of a "
                  "checkpoint on a GPU when there is one")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  command
      .add_option("-i,--images", arguments.images,
                  "Folder of the images, for --clip and --pac; may be repeated")
      ->allow_extra_args(false);
  command
      .add_option("--exif", arguments.exif,
                  "Turn images as their camera noted, or take them as they are stored, as the reference does")
      ->check(CLI::IsMember({"ignore", "apply"}))
      ->capture_default_str();
}

void add_output_options(CLI::App& command, ScoreArguments& arguments) {
  command.add_flag("--json", arguments.json, "One JSON object on standard output instead of a table");
  command.add_flag("--x100", arguments.x100, "Values of the table times 100");
  command.add_option("-o,--output", arguments.output, "Write the JSON object to this file");
  command.add_option("--per-item", arguments.per_item,
                     "Write the scores of each caption to this file, as JSON lines");
  command.add_option("--csv", arguments.csv,
                     "Write the values to this file in the order of papers' tables; those of region sets and "
                     "traces rounded as in the reference");
  command.add_flag("-f,--force", arguments.force, "Replace files of these names");
  command.add_flag("-q,--quiet", arguments.quiet, "No progress line");
}

}  // namespace

void add_score_command(CommandLine& line) {
  CLI::App* command = line.app.add_subcommand("score", "Score captions, of this or any other program");
  auto arguments = std::make_shared<ScoreArguments>();
  add_input_options(*command, *arguments);
  add_metric_options(*command, *arguments);
  add_output_options(*command, *arguments);
  command->footer(
      "Examples:\n  patchioner score -p results.json -r captions_val2014.json --meteor-data meteor/\n"
      "  patchioner score -p dense_results.json -r dense_test.json --task dense -o metrics.json");
  command->callback([arguments] { run_score(*arguments); });
}

}  // namespace patchioner
