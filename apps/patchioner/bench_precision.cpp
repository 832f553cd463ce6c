// patchioner bench precision: what computing in bfloat16 costs in captions. The same config captions the same
// regions in both precisions.
#include <algorithm>
#include <memory>
#include <patchioner/error.hpp>
#include <set>
#include <sstream>

#include "bench.hpp"
#include "config/config.hpp"
#include "nn/linear.hpp"
#include "runtime/captioner.hpp"
#include "runtime/runtime_options.hpp"

namespace patchioner {
namespace {

struct PrecisionBench {
  std::string config;
  std::vector<std::string> images;
  std::vector<std::string> overrides;
  int64_t grid = 3;
  int64_t repeat = 3;
};

/// The whole image and the cells of a grid of boxes over it.
std::vector<Region> regions_of(const Image& image, int64_t grid) {
  std::vector<Region> regions = {{WholeImage{}, "image"}};
  const double width = static_cast<double>(image.width()) / static_cast<double>(grid);
  const double height = static_cast<double>(image.height()) / static_cast<double>(grid);
  for (int64_t row = 0; row < grid; ++row) {
    for (int64_t column = 0; column < grid; ++column) {
      regions.push_back(
          {Box{static_cast<double>(column) * width, static_cast<double>(row) * height, width, height},
           fmt::format("{},{}", row, column)});
    }
  }
  return regions;
}

/// F1 of the two captions' sets of words.
double word_overlap(const std::string& left, const std::string& right) {
  const auto words = [](const std::string& text) {
    std::istringstream stream(text);
    return std::set<std::string>(std::istream_iterator<std::string>(stream), {});
  };
  const std::set<std::string> a = words(left);
  const std::set<std::string> b = words(right);
  std::vector<std::string> common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
  return a.empty() && b.empty()
             ? 1
             : 2 * static_cast<double>(common.size()) / static_cast<double>(a.size() + b.size());
}

using Results = std::vector<std::vector<RegionResult>>;

/// One captioner of the config in a precision, and what it last said.
struct Side {
  at::Device device = at::kCPU;
  std::unique_ptr<PluginHost> host;
  std::unique_ptr<const Captioner> captioner;
  Results results;

  Side(const PrecisionBench& bench, const std::string& precision) {
    Value config = compose(bench.config, bench.overrides);
    set_runtime(config, "precision", precision);
    device = device_of(read_runtime_options(config));
    host = std::make_unique<PluginHost>(plugin_directories(config));
    captioner = std::make_unique<const Captioner>(config, *host);
  }
};

void bench_precision(const PrecisionBench& bench) {
  std::vector<CaptionTask> tasks;
  for (const std::string& path : bench.images) {
    CaptionTask task;
    task.image = read_image(path, ExifOrientation::apply);
    task.regions = regions_of(task.image, bench.grid);
    tasks.push_back(std::move(task));
  }
  Side single(bench, "fp32");
  Side half(bench, "bf16");
  for (CaptionTask& task : tasks) {
    single.captioner->prepare(task);
  }
  const std::vector<Timing> timings =
      measure_in_turn({[&] { single.results = single.captioner->caption(tasks); },
                       [&] { half.results = half.captioner->caption(tasks); }},
                      bench.repeat);
  const Results& fp32 = single.results;
  const Results& bf16 = half.results;
  int64_t total = 0;
  int64_t equal = 0;
  double overlap = 0;
  double cosine = 0;
  for (size_t image = 0; image < fp32.size(); ++image) {
    for (size_t region = 0; region < fp32[image].size(); ++region) {
      const RegionResult& left = fp32[image][region];
      const RegionResult& right = bf16[image][region];
      if (!left.error.empty() || !right.error.empty()) {
        throw Error(ErrorKind::data, "{}: {}", bench.images[image],
                    left.error.empty() ? right.error : left.error);
      }
      ++total;
      equal += left.caption.text == right.caption.text ? 1 : 0;
      overlap += word_overlap(left.caption.text, right.caption.text);
      cosine += at::cosine_similarity(left.feature, right.feature, 0).item<double>();
    }
  }
  const auto count = static_cast<double>(std::max<int64_t>(total, 1));
  fmt::print("{}: {} images, {} regions, bf16 against fp32\n", bench.config, tasks.size(), total);
  fmt::print(
      "  equal captions {} of {} ({:.1f} %), word overlap F1 {:.4f}, mean cosine of region features {:.6f}\n",
      equal, total, 100 * static_cast<double>(equal) / count, overlap / count, cosine / count);
  const double fp32_seconds = timings[0].median();
  if (!half.device.is_cpu() || fast_bfloat16()) {
    fmt::print("  median of {}: fp32 {:.2f} s, bf16 {:.2f} s ({:.2f} x)\n", bench.repeat, fp32_seconds,
               timings[1].median(), fp32_seconds / timings[1].median());
  } else {
    fmt::print("  median of {}: fp32 {:.2f} s\n", bench.repeat, fp32_seconds);
    print_bfloat16_note();
  }
}

}  // namespace

void add_bench_precision(CLI::App& bench) {
  CLI::App* command = bench.add_subcommand(
      "precision", "What bfloat16 costs in captions: the same regions in both precisions");
  auto options = std::make_shared<PrecisionBench>();
  auto common = std::make_shared<BenchOptions>();
  add_bench_options(*command, *common);
  command->add_option("-c,--config", options->config, "Config file of a run")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("images", options->images, "Image files")->required()->check(CLI::ExistingFile);
  command->add_option("--set", options->overrides, "Override of the config, key=value; may be repeated")
      ->allow_extra_args(false);
  add_count(*command, "--grid", options->grid, "Boxes along each side of an image, besides the whole image",
            1, 32);
  add_count(*command, "--repeat", options->repeat, "Passes of each precision", 1, 1000);
  command->footer(
      "Example:\n  patchioner bench precision -c configs/experiment/emoji.yaml models/emoji/test/*.jpg");
  command->callback([options, common] {
    begin_bench(*common);
    bench_precision(*options);
  });
}

}  // namespace patchioner
