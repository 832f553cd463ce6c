// patchioner bench backbones: one table of all backbones at real size with random weights, each through its
// plugin and as eager PyTorch code computes it.
#include <ATen/core/grad_mode.h>

#include <memory>
#include <patchioner/log.hpp>
#include <set>

#include "bench.hpp"
#include "bench_cases.hpp"
#include "runtime/runtime_options.hpp"
#include "support/interrupt.hpp"

namespace patchioner {
namespace {

struct BackbonesBench {
  std::vector<std::string> backbones;
  RuntimeOptions runtime = {.device = "cpu"};
  std::string eager_attention = "public";
  std::string dinotxt_size = "l";
  int64_t repeat = 3;
};

/// The largest difference of two results, as a share of the largest number in them.
double largest_difference(const Results& ours, const Results& eager) {
  double largest = 0;
  for (size_t i = 0; i < eager.size(); ++i) {
    const double difference = (ours[i] - eager[i]).abs().max().item<double>();
    // Written so that a NaN is not lost.
    const double share = difference / eager[i].abs().max().item<double>();
    largest = share <= largest ? largest : share;
  }
  return largest;
}

void print_heading() {
  fmt::print("  {:10} {:29} {:^24} {:^24} {:^13} {:>10}\n", "", "", "plugin, seconds", "eager, seconds",
             "eager/plugin", "largest");
  fmt::print("  {:10} {:29} {:>8} {:>7} {:>7} {:>8} {:>7} {:>7} {:>6} {:>6} {:>10}\n", "backbone",
             "network and input", "median", "min", "cpu", "median", "min", "cpu", "clock", "cpu",
             "difference");
  std::fflush(stdout);
}

/// Measures one case and prints its line, also when it was cut short after a first round.
void measure(const BackboneCase& what, const Sides& sides, at::Device device, int64_t repeat) {
  Results ours;
  Results eager;
  const auto finished = [device](Results& kept, const std::function<Results()>& side) {
    return [device, &kept, &side] {
      kept = side();
      synchronise(device);
    };
  };
  const std::vector<Timing> timings =
      measure_in_turn({finished(ours, sides.ours), finished(eager, sides.eager)}, repeat);
  const Timing& plugin = timings[0];
  const Timing& reference = timings[1];
  if (reference.seconds.empty()) {
    return;
  }
  fmt::print("  {:10} {:29} {:8.3f} {:7.3f} {:7.2f} {:8.3f} {:7.3f} {:7.2f} {:6.2f} {:6.2f} {:>10.1g}\n",
             what.backbone, what.network, plugin.median(), plugin.fastest(), plugin.processor(),
             reference.median(), reference.fastest(), reference.processor(),
             reference.median() / plugin.median(), reference.processor() / plugin.processor(),
             largest_difference(ours, eager));
  std::fflush(stdout);
}

/// Removes the checkpoints of a case that no later one reads.
void remove_read_ones(const CheckpointFolder& folder, const std::vector<BackboneCase>& cases, size_t done) {
  std::set<std::string> wanted;
  for (size_t i = done + 1; i < cases.size(); ++i) {
    for (const RandomCheckpoint& checkpoint : cases[i].checkpoints) {
      wanted.insert(checkpoint.name);
    }
  }
  for (const RandomCheckpoint& checkpoint : cases[done].checkpoints) {
    if (!wanted.contains(checkpoint.name)) {
      folder.remove(checkpoint);
    }
  }
}

void bench_backbones(const BackbonesBench& bench) {
  const at::NoGradGuard no_gradients;
  const PluginContext context = plugin_context(bench.runtime);
  CaseSettings settings;
  settings.context = context;
  settings.fused_attention = bench.eager_attention == "fused";
  settings.dinotxt_size = bench.dinotxt_size == "b" ? VitSize::b : VitSize::l;
  const std::vector<BackboneCase> cases =
      backbone_cases(bench.backbones.empty() ? measured_backbones() : bench.backbones, settings);
  fmt::print(
      "one image on {}, plugins in {}, eager code in fp32 with {} attention, random weights, {} passes of "
      "each in turn\n",
      bench.runtime.device, bench.runtime.precision,
      settings.fused_attention ? "the fused operator's" : "its public code's", bench.repeat);
  print_heading();
  PluginHost host;
  const PoliteInterrupt polite;
  const CheckpointFolder folder;
  for (size_t i = 0; i < cases.size() && !interrupted(); ++i) {
    measure(cases[i], cases[i].prepare(host, folder), context.device, bench.repeat);
    remove_read_ones(folder, cases, i);
  }
  if (interrupted()) {
    log(LogLevel::warning,
        "interrupted; the last line may stand for fewer passes, those after it are missing");
  }
  if (bench.runtime.precision == "bf16" && context.device.is_cpu()) {
    print_bfloat16_note();
  }
}

}  // namespace

void add_bench_backbones(CLI::App& bench) {
  CLI::App* command = bench.add_subcommand(
      "backbones",
      "Every backbone at real size with random weights: its plugin against the same network in eager code");
  auto options = std::make_shared<BackbonesBench>();
  auto common = std::make_shared<BenchOptions>();
  add_bench_options(*command, *common);
  command->add_option("BACKBONE", options->backbones, "Which ones; all without it")
      ->check(CLI::IsMember(measured_backbones()));
  add_count(*command, "--repeat", options->repeat, "Passes of each", 1, 1000);
  add_device(*command, options->runtime);
  command
      ->add_option("--precision", options->runtime.precision,
                   "What the plugins compute in; eager code stays fp32")
      ->check(CLI::IsMember({"fp32", "bf16"}))
      ->capture_default_str();
  command
      ->add_option(
          "--eager-attention", options->eager_attention,
          "As the public code of each network computes it, or with LibTorch's fused operator everywhere")
      ->check(CLI::IsMember({"public", "fused"}))
      ->capture_default_str();
  command
      ->add_option("--dinotxt-size", options->dinotxt_size,
                   "The published ViT-L, or a ViT-B, which takes a quarter")
      ->check(CLI::IsMember({"b", "l"}))
      ->capture_default_str();
  command->footer(
      "Checkpoints of the published layouts are written to a temporary folder (TMPDIR; up to 2.5 GB) and "
      "removed. The "
      "public code of DINO, DINOv2 (without xFormers) and AlphaCLIP writes attention out, that of the others "
      "uses "
      "the fused operator. `difference` is the largest one between the results of both sides, as a share of "
      "the "
      "largest number.\nExample:\n  patchioner bench backbones talk2dino clip --repeat 3");
  command->callback([options, common] {
    begin_bench(*common);
    bench_backbones(*options);
  });
}

}  // namespace patchioner
