// patchioner dataset stats | check | convert (and traces: dataset_traces.cpp): annotation files and what is
// in them.
#include "dataset.hpp"

#include <cstdio>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "data/dataset_export.hpp"
#include "data/dataset_stats.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/printable.hpp"
#include "support/progress.hpp"

namespace patchioner {
namespace dataset_command {

DatasetOptions DatasetArguments::options() const {
  DatasetOptions options;
  options.files = {files.begin(), files.end()};
  options.format = dataset_format_from(format);
  options.references = references;
  options.split = split;
  options.image_data = image_data;
  options.splits = splits;
  options.vg_coco = vg_coco;
  options.image_folders = {images.begin(), images.end()};
  options.image_names = image_names_from(names);
  options.strict = strict;
  return options;
}

void add_dataset_options(CLI::App& command, DatasetArguments& arguments) {
  command
      .add_option("FILE", arguments.files,
                  "Annotations: COCO captions, Karpathy's split, dense captions, Visual Genome, region sets, "
                  "COCO or Flickr30k Entities, traces, Localized Narratives, JSON lines of one's own")
      ->required();
  command
      .add_option("--format", arguments.format,
                  "auto, coco, karpathy, dense, visual-genome, region-sets, coco-entities, flickr-entities, "
                  "traces, narratives, records or clipscore")
      ->capture_default_str();
  command
      .add_option("-i,--images", arguments.images,
                  "Folder of images; may be repeated, the first that has a file wins")
      ->allow_extra_args(false);
  command
      .add_option("--names", arguments.names,
                  "How ids become file names: auto, plain (<id>.jpg) or coco (twelve digits)")
      ->capture_default_str();
  command.add_option("--references", arguments.references,
                     "COCO captions with the references of an image list that has none");
  command
      .add_option("--split", arguments.split,
                  "Of Karpathy's file, Visual Genome and the Entities releases; all takes every image")
      ->capture_default_str();
  command.add_option("--splits", arguments.splits,
                     "File of splits: densecap_splits.json, or a list of Flickr30k ids");
  command.add_option("--image-data", arguments.image_data, "Visual Genome's image_data.json");
  command.add_flag("--vg-coco", arguments.vg_coco, "Of Visual Genome, only images that are COCO's too");
  command.add_flag("--strict", arguments.strict, "Stop at the first problem");
}

namespace {

void print_problems(const DatasetProblems& problems) {
  for (const std::string& line : problems.summary()) {
    log(LogLevel::warning, "{}", printable(line));
  }
}

// --- stats

struct StatsArguments {
  DatasetArguments dataset;
  bool json = false;
};

void run_stats(const StatsArguments& arguments) {
  const Dataset dataset = Dataset::open(arguments.dataset.options());
  print_problems(dataset.problems());
  nlohmann::ordered_json stats = {
      {"file", dataset.name()}, {"format", to_string(dataset.format())}, {"task", to_string(dataset.task())}};
  stats.update(to_json(stats_of(dataset)));
  if (arguments.json) {
    fmt::print("{}\n", stats.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  for (const auto& [key, value] : stats.items()) {
    std::string text = key;
    std::replace(text.begin(), text.end(), '_', ' ');
    if (value.is_object()) {
      fmt::print("{:<32} {:.4g} (min {:.4g}, max {:.4g}; {} in all)\n", text, value["mean"].get<double>(),
                 value["min"].get<double>(), value["max"].get<double>(), value["count"].get<uint64_t>());
    } else {
      fmt::print("{:<32} {}\n", text, printable(value.is_string() ? value.get<std::string>() : value.dump()));
    }
  }
}

void add_stats(CLI::App& dataset) {
  CLI::App* command = dataset.add_subcommand("stats", "Count images, regions, captions, boxes and words");
  auto arguments = std::make_shared<StatsArguments>();
  add_dataset_options(*command, arguments->dataset);
  command->add_flag("--json", arguments->json, "One JSON object on standard output");
  command->footer("Example:\n  patchioner dataset stats models/emoji/annotations/region_sets_test.json");
  command->callback([arguments] { run_stats(*arguments); });
}

// --- check

struct CheckArguments {
  DatasetArguments dataset;
  bool no_decode = false;
  bool quiet = false;
};

void run_check(const CheckArguments& arguments, CommandLine& line) {
  Progress::set_enabled(!arguments.quiet);
  const PoliteInterrupt polite;
  const auto print = [](const DatasetProblem& problem) {
    if (!is_note(problem.kind)) {
      fmt::print("{}: {}\n", printable(problem.where), printable(problem.what));
    }
  };
  DatasetOptions options = arguments.dataset.options();
  options.on_problem = print;
  const Dataset dataset = Dataset::open(options);
  DatasetProblems more(options.strict, print);
  if (!arguments.no_decode && !check_images(dataset, more)) {
    log(LogLevel::warning, "stopped before every image was read");
    line.exit_code = 1;
  }
  const size_t total = dataset.problems().total() + more.total();
  fmt::print("{}: {} images, {} regions of the task '{}', read as '{}': {}\n", dataset.name(), dataset.size(),
             dataset.region_count(), to_string(dataset.task()), to_string(dataset.format()),
             total == 0   ? "no problems"
             : total == 1 ? "1 problem"
                          : fmt::format("{} problems", total));
  for (size_t index = 0; index < kProblemKinds; ++index) {
    const auto kind = static_cast<ProblemKind>(index);
    if (const size_t count = dataset.problems().count(kind) + more.count(kind); count > 0) {
      fmt::print("  {} {}{}\n", count, to_string(kind), is_note(kind) ? " (a note)" : "");
    }
  }
  if (options.image_folders.empty() && dataset.format() != DatasetFormat::records) {
    fmt::print("  images were not looked for; name their folder by --images\n");
  }
  if (total > 0) {
    line.exit_code = 1;
  }
}

void add_check(CLI::App& dataset, CommandLine& line) {
  CLI::App* command = dataset.add_subcommand(
      "check", "Name every problem of annotations and images; ends with 1 when there are any");
  auto arguments = std::make_shared<CheckArguments>();
  add_dataset_options(*command, arguments->dataset);
  command->add_flag("--no-decode", arguments->no_decode,
                    "Only look whether image files are there, do not read them");
  command->add_flag("-q,--quiet", arguments->quiet, "No progress line");
  command->footer(
      "Example:\n  patchioner dataset check models/emoji/annotations/dense_test.json -i models/emoji/test");
  command->callback([arguments, &line] { run_check(*arguments, line); });
}

// --- convert

struct ConvertArguments {
  DatasetArguments dataset;
  std::string output;
  std::string to = "records";
  bool force = false;
};

void run_convert(const ConvertArguments& arguments) {
  if (std::filesystem::exists(arguments.output) && !arguments.force) {
    throw Error(ErrorKind::usage, "{}: exists; replace it by --force", arguments.output);
  }
  const Dataset dataset = Dataset::open(arguments.dataset.options());
  print_problems(dataset.problems());
  make_folder_of(arguments.output);
  if (arguments.to == "records") {
    write_records(dataset, arguments.output);
  } else {
    write_task_file(dataset, arguments.output);
  }
  fmt::print("{}: {} images, {} regions\n", arguments.output, dataset.size(), dataset.region_count());
}

void add_convert(CLI::App& dataset) {
  CLI::App* command = dataset.add_subcommand("convert", "Write a data set in another form");
  auto arguments = std::make_shared<ConvertArguments>();
  add_dataset_options(*command, arguments->dataset);
  command->add_option("-o,--output", arguments->output, "The file to write")->required();
  command
      ->add_option("--to", arguments->to,
                   "records: JSON lines of one's own; task: the file that the paper's public code reads")
      ->check(CLI::IsMember({"records", "task"}))
      ->capture_default_str();
  command->add_flag("-f,--force", arguments->force, "Replace a file of that name");
  command->footer(
      "Example:\n  patchioner dataset convert region_descriptions.json --split test --to task -o "
      "vg_test.json");
  command->callback([arguments] { run_convert(*arguments); });
}

}  // namespace
}  // namespace dataset_command

void add_dataset_command(CommandLine& line) {
  CLI::App* command =
      line.app.add_subcommand("dataset", "Count, check and convert data sets; build the trace benchmark");
  command->require_subcommand(1);
  dataset_command::add_stats(*command);
  dataset_command::add_check(*command, line);
  dataset_command::add_convert(*command);
  dataset_command::add_traces(*command, line);
}

}  // namespace patchioner
