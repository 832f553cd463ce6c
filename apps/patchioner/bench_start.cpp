// patchioner bench start: from the start of the process to the first caption.
#include <memory>
#include <patchioner/error.hpp>

#include "bench.hpp"

namespace patchioner {
namespace {

struct StartBench {
  std::string config;
  std::string image;
  int64_t repeat = 5;
};

}  // namespace

void add_bench_start(CLI::App& bench) {
  CLI::App* command = bench.add_subcommand(
      "start", "A whole run of `caption` on one image: load everything, say one caption");
  auto options = std::make_shared<StartBench>();
  auto common = std::make_shared<BenchOptions>();
  add_bench_options(*command, *common);
  command->add_option("-c,--config", options->config, "Config file of a run; the shipped model without it");
  command->add_option("image", options->image, "Image file")->required()->check(CLI::ExistingFile);
  add_count(*command, "--repeat", options->repeat, "Runs, after one that fills the file cache", 1, 1000);
  command->footer("Example:\n  patchioner bench start models/emoji/test/1.jpg");
  command->callback([options, common] {
    begin_bench(*common);
    std::vector<std::string> arguments = {"patchioner", "caption", options->image, "--threads",
                                          std::to_string(common->threads)};
    if (!options->config.empty()) {
      arguments.insert(arguments.end(), {"--config", options->config});
    }
    const Timing timing =
        measure_in_turn({[&] { run_again(arguments, ChildOutput::hidden); }}, options->repeat)[0];
    fmt::print("from process start to its end, one caption of {}: median {:.2f} s, fastest {:.2f} s\n",
               options->image, timing.median(), timing.fastest());
  });
}

}  // namespace patchioner
