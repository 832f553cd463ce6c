// patchioner eval CONFIG [OVERRIDE...]: any config on any data set, captioned and scored.
#include <cstdio>
#include <memory>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>
#include <set>

#include "commands.hpp"
#include "config/config.hpp"
#include "config/overrides.hpp"
#include "data/json_text.hpp"
#include "evaluation/dataset_section.hpp"
#include "evaluation/evaluation_run.hpp"
#include "runtime/runtime_options.hpp"
#include "section_help.hpp"
#include "support/printable.hpp"
#include "support/progress.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

struct EvalArguments {
  std::string config;
  std::vector<std::string> overrides;
  std::vector<std::string> datasets;
  std::vector<std::string> images;
  std::vector<std::string> metrics;
  std::string output;
  bool restart = false;
  bool json = false;
  bool x100 = false;
  bool quiet = false;
};

const Origin kCommandLine{"command line", 0, 0};

Value list_of(const std::vector<std::string>& texts) {
  Value::List list;
  for (const std::string& text : texts) {
    list.push_back(Value(text).set_origin(kCommandLine));
  }
  return Value(std::move(list)).set_origin(kCommandLine);
}

void set_in_section(Value& config, const std::string& section, const std::string& key, Value value) {
  if (config.find(section) == nullptr || config.at(section).is_null()) {
    config.set(section, Value(Value::Map()).set_origin(kCommandLine));
  }
  config.find(section)->set(key, std::move(value));
}

/// A word of -d is the name of a choice, unless it looks like a path: a folder of results may have a choice's
/// name.
bool is_annotation_file(const std::string& dataset) {
  const std::filesystem::path path = dataset;
  return path.extension() != ".yaml" && (path.has_extension() || path.has_parent_path()) &&
         !dataset.starts_with("dataset/");
}

bool changes_dataset(const std::string& change) {
  return change.substr(std::min(change.find_first_not_of("+~"), change.size())).starts_with("dataset");
}

/// The config with a file of annotations for its data set; only overrides say more of it.
Value document_of_file(const EvalArguments& arguments, const std::string& file) {
  if (!std::filesystem::exists(file)) {
    throw Error(
        ErrorKind::usage,
        "--dataset {}: there is no such file; a name without '/' and '.' is a choice of configs/dataset",
        file);
  }
  std::vector<std::string> others;
  std::vector<Override> of_dataset;
  for (const std::string& change : arguments.overrides) {
    if (changes_dataset(change)) {
      of_dataset.push_back(parse_override(change));
    } else {
      others.push_back(change);
    }
  }
  Value config = compose(arguments.config, others);
  config.erase("dataset");
  set_in_section(config, "dataset", "files", list_of({file}));
  apply_overrides(config, of_dataset);
  return config;
}

/// The document of one data set: a choice of configs/dataset, or a file of annotations; none: the config's
/// own.
Value document_of(const EvalArguments& arguments, const std::string& dataset) {
  Value config;
  if (is_annotation_file(dataset)) {
    config = document_of_file(arguments, dataset);
  } else {
    std::vector<std::string> overrides = arguments.overrides;
    if (!dataset.empty()) {
      overrides.insert(overrides.begin(), "dataset=" + dataset);
    }
    config = compose(arguments.config, overrides);
  }
  if (!arguments.images.empty()) {
    set_in_section(config, "dataset", "images", list_of(arguments.images));
  }
  if (!arguments.metrics.empty()) {
    set_in_section(config, "score", "metrics", list_of(arguments.metrics));
  }
  if (!arguments.output.empty()) {
    set_in_section(config, "evaluate", "output", Value(arguments.output).set_origin(kCommandLine));
  }
  return config;
}

std::vector<Evaluation> evaluations_of(const EvalArguments& arguments, PluginHost& host) {
  std::vector<Evaluation> evaluations;
  std::set<std::string> names;
  const std::vector<std::string> datasets =
      arguments.datasets.empty() ? std::vector<std::string>{""} : arguments.datasets;
  for (const std::string& dataset : datasets) {
    Evaluation& evaluation = evaluations.emplace_back(make_evaluation(document_of(arguments, dataset), host));
    if (!names.insert(evaluation.name()).second) {
      throw Error(ErrorKind::usage,
                  "two data sets are called '{}' and would share a folder of results; give them names "
                  "(dataset.name) and evaluate them one by one",
                  evaluation.name());
    }
  }
  return evaluations;
}

/// Data sets one below the other, a column a metric that any of them has.
void print_table(const std::vector<std::pair<std::string, ScoreReport>>& reports, bool x100) {
  std::vector<std::string> metrics;
  size_t width = std::string("data set").size();
  for (const auto& [name, report] : reports) {
    width = std::max(width, name.size());
    for (const CaptionScores& score : report.metrics) {
      if (std::find(metrics.begin(), metrics.end(), score.name) == metrics.end()) {
        metrics.push_back(score.name);
      }
    }
  }
  constexpr double kPercent = 100;
  constexpr size_t kNumber = 7;
  std::string line = fmt::format("{:<{}}", "data set", width);
  for (const std::string& metric : metrics) {
    line += fmt::format("  {:>{}}", metric, std::max(metric.size(), kNumber));
  }
  fmt::print("{}\n", line);
  for (const auto& [name, report] : reports) {
    line = fmt::format("{:<{}}", name, width);
    for (const std::string& metric : metrics) {
      const auto found = std::find_if(report.metrics.begin(), report.metrics.end(),
                                      [&](const CaptionScores& score) { return score.name == metric; });
      std::string value;
      if (found != report.metrics.end()) {
        value = x100 ? fmt::format("{:.2f}", found->scores.corpus * kPercent)
                     : fmt::format("{:.4f}", found->scores.corpus);
      }
      line += fmt::format("  {:>{}}", value, std::max(metric.size(), kNumber));
    }
    fmt::print("{}\n", line);
  }
}

/// `told` are the notes of earlier data sets: what holds for all metrics is said once.
void tell(const Evaluation& evaluation, const EvaluationOutcome& outcome, std::set<std::string>& told) {
  for (const std::string& sentence : outcome.result.scores.notes) {
    if (told.insert(sentence).second) {
      log(LogLevel::warning, "{}: {}", evaluation.name(), printable(sentence));
    }
  }
  const CaptionCounts& counts = outcome.result.counts;
  log(LogLevel::info, "{}: {} images, {} regions, captioned in {:.1f} s{}; results in {}", evaluation.name(),
      counts.images, counts.regions, counts.seconds,
      counts.images_before == 0 ? "" : fmt::format(" ({} of the images before)", counts.images_before),
      outcome.folder.string());
}

void run_eval(const EvalArguments& arguments, CommandLine& line) {
  Progress::set_enabled(!arguments.quiet);
  if (arguments.quiet) {
    set_log_level(LogLevel::warning);
  }
  PluginHost host(plugin_directories(compose(arguments.config, arguments.overrides)));
  const std::vector<Evaluation> evaluations = evaluations_of(arguments, host);
  const Value& config = evaluations.front().config;
  apply_threads(read_runtime_options(config));
  const Captioner captioner(config, host);
  std::vector<std::pair<std::string, ScoreReport>> reports;
  ScoringMemory memory;
  std::set<std::string> told;
  Json all = Json::array();
  for (const Evaluation& evaluation : evaluations) {
    try {
      EvaluationOutcome outcome = run_evaluation(evaluation, captioner, arguments.restart, &memory);
      if (!outcome.finished) {
        log(LogLevel::warning, "{}: interrupted; the same command{} goes on", evaluation.name(),
            arguments.restart ? " without --restart" : "");
        line.exit_code = 1;
        break;
      }
      tell(evaluation, outcome, told);
      if (arguments.json) {
        all.push_back(std::move(outcome.metrics));
      }
      reports.emplace_back(evaluation.name(), std::move(outcome.result.scores));
    } catch (const Error& error) {
      if (evaluations.size() == 1) {
        throw;
      }
      log(LogLevel::warning, "{}", printable(error.what()));
      line.exit_code = std::max(line.exit_code, error.exit_code());
    }
  }
  if (arguments.json) {
    fmt::print("{}\n", json_text(all, 2));
  } else if (!reports.empty()) {
    print_table(reports, arguments.x100);
  }
}

}  // namespace

void add_eval_command(CommandLine& line) {
  CLI::App* command =
      line.app.add_subcommand("eval", "Caption a data set with a config, and score the captions");
  auto arguments = std::make_shared<EvalArguments>();
  command
      ->add_option("CONFIG", arguments->config,
                   "Config with the sections backbone, aggregator, gap and decoder")
      ->required();
  command->add_option("OVERRIDE", arguments->overrides,
                      "Settings that win over the file's, such as aggregator=gaussian");
  command
      ->add_option(
          "-d,--dataset", arguments->datasets,
          "A choice of configs/dataset or a file of annotations; may be repeated, the model is loaded once")
      ->allow_extra_args(false);
  command->add_option("-i,--images", arguments->images, "Folder of images (dataset.images); may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option("-m,--metrics", arguments->metrics,
                   "Separated by commas (score.metrics); by default those of the task")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_option("-o,--output", arguments->output,
                      "Folder of results (evaluate.output); each data set gets a folder in it");
  command->add_flag("--restart", arguments->restart,
                    "Begin anew; otherwise images that are captioned already are not captioned again");
  command->add_flag("--json", arguments->json,
                    "The metrics.json of all data sets as a list on standard output instead of a table");
  command->add_flag("--x100", arguments->x100, "Values of the table times 100");
  command->add_flag("-q,--quiet", arguments->quiet, "No progress line");
  command->footer(
      "Examples:\n"
      "  patchioner eval experiment/emoji -d emoji_dense -d emoji_trace -o build/eval\n"
      "  patchioner eval experiment/talk2dino_memory -d coco_karpathy_test aggregator=attention "
      "score.meteor_data=meteor\n"
      "  patchioner eval experiment/emoji -d my_boxes.json -i my_photos -m CIDEr,map\n\n"
      "Ctrl-C stops after the batch in flight; the same command goes on where it stopped, also after a "
      "kill.\n\n" +
      section_help("dataset", schema_of<DatasetSection>()) + "\n" +
      section_help("score", schema_of<ScoringOptions>()) + "\n" +
      section_help("evaluate", schema_of<EvaluationOptions>()));
  command->callback([arguments, &line] { run_eval(*arguments, line); });
}

}  // namespace patchioner
