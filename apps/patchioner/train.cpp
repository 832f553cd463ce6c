// patchioner train FILE [OVERRIDE...]: trains the config's decoder on captions alone.
#include <cstdio>
#include <memory>
#include <patchioner/log.hpp>

#include "commands.hpp"
#include "config/config.hpp"
#include "runtime/runtime_options.hpp"
#include "section_help.hpp"
#include "support/interrupt.hpp"
#include "support/progress.hpp"
#include "train/training_run.hpp"
#include "train/training_setup.hpp"

namespace patchioner {
namespace {

struct TrainArguments {
  std::string file;
  std::vector<std::string> overrides;
  bool restart = false;
  bool quiet = false;
};

void run_train(const TrainArguments& arguments, CommandLine& line) {
  Progress::set_enabled(!arguments.quiet);
  const Value config = compose(arguments.file, arguments.overrides);
  apply_threads(read_runtime_options(config));
  PluginHost host(plugin_directories(config));
  const TrainingSetup setup = make_training(config, host);
  const PoliteInterrupt polite;
  const TrainingOutcome outcome = run_training(setup.parts, setup.options, arguments.restart);
  if (!outcome.finished) {
    if (outcome.total_steps == 0) {
      log(LogLevel::warning, "stopped while captions were encoded; the same command goes on from here");
    } else {
      log(LogLevel::warning, "stopped after {} of {} updates; the same command{} goes on from here",
          outcome.steps, outcome.total_steps, arguments.restart ? " without --restart" : "");
    }
    line.exit_code = 1;
    return;
  }
  fmt::print("{}\n", outcome.checkpoint.string());
}

}  // namespace

void add_train_command(CommandLine& line) {
  CLI::App* command = line.app.add_subcommand("train", "Train the config's decoder on captions alone");
  auto arguments = std::make_shared<TrainArguments>();
  command->add_option("FILE", arguments->file, "Config with the sections backbone, gap, decoder and train")
      ->required();
  command->add_option("OVERRIDE", arguments->overrides,
                      "Settings that win over the file's, such as train.epochs=3");
  command->add_flag("--restart", arguments->restart, "Begin anew, even if a stopped training could go on");
  command->add_flag("--quiet", arguments->quiet, "No progress line");
  command->footer(
      "Example:\n  patchioner train configs/experiment/train_plain.yaml train.data=captions.json "
      "train.output=runs/plain\n\n"
      "Ctrl-C stops after the update in flight; the same command goes on where it stopped, also after a "
      "kill.\n"
      "Prints the path of the last checkpoint.\n\n" +
      section_help("train", schema_of<TrainOptions>()));
  command->callback([arguments, &line] { run_train(*arguments, line); });
}

}  // namespace patchioner
