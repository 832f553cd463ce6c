// The bootstrap of mAP over images: against test sets that are drawn and scored by themselves, and against
// what intervals and p-values promise.
#include "results/map_bootstrap.hpp"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <patchioner/error.hpp>

#include "refusals.hpp"
#include "results/resample_draws.hpp"
#include "unit/results/dense_lines.hpp"

using namespace patchioner;

namespace {

constexpr int64_t kResamples = 2000;
constexpr uint64_t kSeed = 42;
constexpr const char* kMap = "map(no-paraphrase)";

DetectionLines lines_of(const std::vector<ScoredItem>& items) {
  DetectionLines lines;
  for (const ScoredItem& item : items) {
    lines.add(item);
  }
  REQUIRE(lines.are_whole);
  return lines;
}

MapBootstrap bootstrap_of(const std::vector<ScoredItem>& items, int64_t resamples = kResamples,
                          uint64_t seed = kSeed) {
  return {lines_of(items), DenseVariant::python, resamples, seed};
}

/// The items of some images, each image a new one: its number is its place in `images`.
std::vector<ScoredItem> test_set_of(const std::vector<ScoredItem>& items, const std::vector<size_t>& images) {
  std::vector<ScoredItem> drawn;
  for (size_t i = 0; i < images.size(); ++i) {
    for (const ScoredItem& item : items) {
      if (item.image == fmt::format("{}.jpg", images[i])) {
        drawn.push_back(item);
        drawn.back().place = fmt::format("{}.{}", i, item.place.substr(item.place.find('.') + 1));
      }
    }
  }
  return drawn;
}

std::vector<size_t> images_of_resample(size_t images, int64_t resample) {
  ResampleDraws draws(images, resample, kSeed);
  std::vector<size_t> drawn;
  while (drawn.size() < images) {
    const ResampleDraws::Two two = draws.next_two();
    drawn.push_back(two.first);
    drawn.push_back(two.second);
  }
  drawn.resize(images);
  return drawn;
}

RunScores run_with(std::vector<MetricValue> metrics, size_t boxes, const std::string& variant = "python") {
  RunScores run;
  run.metrics = std::move(metrics);
  run.boxes = boxes;
  run.dense_variant = variant;
  return run;
}

}  // namespace

TEST_CASE("mAP has any form and that of boxes alone") {
  for (const char* name : {"map", "map(no-paraphrase)", "detmap"}) {
    CHECK(is_map(name));
  }
  for (const char* name : {"CIDEr", "mapped", "METEOR(no-paraphrase)", ""}) {
    CHECK_FALSE(is_map(name));
  }
}

TEST_CASE("of an image that is right and one that is wrong resamples have 1, a half of it, and 0") {
  // Drawn twice, either of them, in a quarter of the resamples: both ends of the interval are certain.
  const std::vector<ScoredItem> items = {dense_item(3, 0, 0.9, 1, 1), dense_item(8, 0, 0.5, 0, 1)};
  const MapBootstrap maps = bootstrap_of(items);
  CHECK(maps.value(kMap) == doctest::Approx(0.51));  // recalls up to 0.50
  CHECK(maps.interval(kMap).low == 0);
  CHECK(maps.interval(kMap).high == doctest::Approx(1));
  CHECK(maps.value("detmap") == doctest::Approx(1));
  CHECK(maps.interval("detmap").low == doctest::Approx(1));
}

TEST_CASE("of equal scores the order of the data set decides, whatever that of the lines") {
  // Right before wrong: precision 1 up to recall 1/2; the other way round it is 1/2.
  const std::vector<ScoredItem> right_first = {dense_item(1, 0, 1, 0, 1), dense_item(0, 0, 1, 1, 1)};
  const std::vector<ScoredItem> wrong_first = {dense_item(1, 0, 1, 1, 1), dense_item(0, 0, 1, 0, 1)};
  CHECK(bootstrap_of(right_first).value("map") == doctest::Approx(0.51));
  CHECK(bootstrap_of(wrong_first).value("map") == doctest::Approx(0.255));
}

TEST_CASE("a resample is worth what a test set of its images is worth, with boxes of their own") {
  const std::vector<ScoredItem> items = dense_items_of(21, 5);
  std::vector<double> maps;
  std::vector<double> detmaps;
  constexpr int64_t kFew = 45;  // no multiple of what is scored at once
  for (int64_t resample = 0; resample < kFew; ++resample) {
    const MapBootstrap drawn = bootstrap_of(test_set_of(items, images_of_resample(21, resample)), 0);
    maps.push_back(drawn.value(kMap));
    detmaps.push_back(drawn.value("detmap"));
  }
  const MapBootstrap all = bootstrap_of(items, kFew);
  CHECK(all.interval(kMap).low == percentile_interval(maps).low);
  CHECK(all.interval(kMap).high == percentile_interval(maps).high);
  CHECK(all.interval("detmap").low == percentile_interval(detmaps).low);
  CHECK(all.interval(kMap).low < all.interval(kMap).high);
}

TEST_CASE("a row against its baseline: the same images for both, and nothing counted") {
  const std::vector<ScoredItem> items = dense_items_of(60, 6);
  const std::vector<ScoredItem> others = dense_items_of(60, 7);
  const MapBootstrap baseline = bootstrap_of(items, 64);
  const MapBootstrap row = bootstrap_of(others, 64);
  std::vector<double> differences;
  for (int64_t resample = 0; resample < 64; ++resample) {
    const std::vector<size_t> drawn = images_of_resample(60, resample);
    differences.push_back(bootstrap_of(test_set_of(others, drawn), 0).value(kMap) -
                          bootstrap_of(test_set_of(items, drawn), 0).value(kMap));
  }
  const PairedDifference difference = *row.against(baseline, kMap);
  CHECK(difference.delta == row.value(kMap) - baseline.value(kMap));
  CHECK(difference.interval.low == doctest::Approx(percentile_interval(differences).low));
  CHECK(difference.interval.high == doctest::Approx(percentile_interval(differences).high));
  CHECK(difference.p_value == two_sided_p(differences));
  CHECK_FALSE(difference.counts_items());

  const PairedDifference reversed = *baseline.against(row, kMap);
  CHECK(reversed.delta == -difference.delta);
  CHECK(reversed.p_value == difference.p_value);
}

TEST_CASE("equal runs do not differ, and what is better on every image has the smallest p-value there is") {
  const std::vector<ScoredItem> items = dense_items_of(80, 8);
  std::vector<ScoredItem> better = items;
  for (ScoredItem& item : better) {
    item.values.begin()->second += 0.1;
  }
  const MapBootstrap baseline = bootstrap_of(items);
  const PairedDifference same = *bootstrap_of(items).against(baseline, kMap);
  CHECK(same.delta == 0);
  CHECK(same.p_value == 1);
  CHECK(same.interval.high == 0);
  const PairedDifference clear = *bootstrap_of(better).against(baseline, kMap);
  CHECK(clear.delta > 0.1);
  CHECK(clear.interval.low > 0);
  CHECK(clear.p_value == 1.0 / kResamples);
}

TEST_CASE("runs are compared on the images that both have") {
  const std::vector<ScoredItem> items = dense_items_of(40, 9);
  std::vector<ScoredItem> part = dense_items_of(30, 10);
  const MapBootstrap whole = bootstrap_of(items);
  std::vector<size_t> first_images(30);
  std::iota(first_images.begin(), first_images.end(), size_t{0});
  const MapBootstrap shared = bootstrap_of(test_set_of(items, first_images));
  const PairedDifference difference = *bootstrap_of(part).against(whole, kMap);
  const PairedDifference expected = *bootstrap_of(part).against(shared, kMap);
  CHECK(difference.delta == expected.delta);
  CHECK(difference.interval.low == expected.interval.low);
  CHECK(difference.p_value == expected.p_value);

  for (ScoredItem& item : part) {
    item.place = "1" + item.place + "0";  // images 10 to 129, some of them the baseline's
  }
  CHECK(bootstrap_of(part).against(whole, kMap));
  for (ScoredItem& item : part) {
    item.place = "10" + item.place;
  }
  CHECK_FALSE(bootstrap_of(part).against(whole, kMap));
}

TEST_CASE("the same by one thread or two, another for another seed; of one image nothing is known") {
  const std::vector<ScoredItem> items = dense_items_of(50, 11);
  const Interval interval = bootstrap_of(items).interval(kMap);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Interval alone = bootstrap_of(items).interval(kMap);
  at::set_num_threads(threads);
  CHECK(alone.low == interval.low);
  CHECK(alone.high == interval.high);
  CHECK(bootstrap_of(items, kResamples, kSeed + 1).interval(kMap).low != interval.low);

  const MapBootstrap one = bootstrap_of({dense_item(0, 0, 1, 1, 2)});
  CHECK(one.interval(kMap).low == one.value(kMap));
  CHECK(one.interval(kMap).high == one.value(kMap));
  CHECK(one.against(one, kMap)->p_value == 1);
  CHECK(bootstrap_of(items, 0).interval(kMap).high == bootstrap_of(items).value(kMap));
}

TEST_CASE("95 % intervals hold mAP in about 95 of 100 test sets, and equal models differ in about 5") {
  constexpr int kSamples = 300;
  constexpr size_t kImages = 100;
  double expected = 0;  // mAP of such test sets
  std::vector<Interval> intervals;
  int different = 0;
  for (int sample = 0; sample < kSamples; ++sample) {
    const MapBootstrap one = bootstrap_of(dense_items_of(kImages, 1000 + 2 * sample), 200);
    const MapBootstrap other = bootstrap_of(dense_items_of(kImages, 1001 + 2 * sample), 200);
    intervals.push_back(one.interval(kMap));
    different += one.against(other, kMap)->p_value < 0.05 ? 1 : 0;
    expected += (one.value(kMap) + other.value(kMap)) / (2 * kSamples);
  }
  const auto covered = std::count_if(intervals.begin(), intervals.end(), [&](const Interval& interval) {
    return interval.low <= expected && expected <= interval.high;
  });
  // Four standard errors are 5 %; of 100 images the percentile bootstrap covers about 94 %.
  CHECK(covered > 0.89 * kSamples);
  CHECK(different > 0.01 * kSamples);
  CHECK(different < 0.11 * kSamples);
}

TEST_CASE("a run's lines, or why its mAP has no interval") {
  const std::vector<ScoredItem> items = {dense_item(0, 0, 0.9, 0.1, 2), dense_item(0, 1, 0.8, 1, 2)};
  // From METEOR 0.1 on one of two boxes is found, at rank 2; before that both are, at ranks 1 and 2.
  const double map = (2 * 1 + 4 * 0.51 * 0.5) / 6;
  const RunMaps whole =
      run_maps(run_with({{kMap, map}, {"detmap", 1}, {"CIDEr", 3}}, 2), lines_of(items), kResamples, kSeed);
  CHECK(whole.missing.empty());
  CHECK(whole.metrics == std::set<std::string>{"detmap", kMap});
  CHECK(whole.bootstrap->value(kMap) == doctest::Approx(map));

  const RunMaps other = run_maps(run_with({{kMap, 0.7}}, 2), lines_of(items), kResamples, kSeed);
  mentions(other.missing, "the lines of items.jsonl come to a map(no-paraphrase) of 0.503333, metrics.json");
  CHECK(other.metrics.empty());
  CHECK_FALSE(other.bootstrap);

  mentions(run_maps(run_with({{kMap, map}}, 5), lines_of(items), kResamples, kSeed).missing,
           "3 of its 5 boxes are in images without detections");

  std::vector<ScoredItem> old = items;
  old[1].detection.reset();
  DetectionLines lines;
  lines.add(old[0]);
  lines.add(old[1]);
  CHECK_FALSE(lines.are_whole);
  mentions(run_maps(run_with({{kMap, map}}, 2), lines, kResamples, kSeed).missing, "evaluate again");
  mentions(run_maps(run_with({{kMap, map}}, 2), {}, kResamples, kSeed).missing, "evaluate again");

  // Without a place, as `score --per-item` writes them, images cannot be told apart.
  DetectionLines placeless;
  ScoredItem item = items[0];
  item.place = "#0";
  placeless.add(item);
  CHECK_FALSE(placeless.are_whole);
  DetectionLines damaged;
  item.place = "12";
  mentions(refusal_of(ErrorKind::data, [&] { damaged.add(item); }), "'12' is no place");
}

TEST_CASE("the variant of the evaluator is the run's") {
  // 0.01 fifty times is more than 0.5, so that half of the boxes do not reach it in the Lua code's sums.
  const std::vector<ScoredItem> items = {dense_item(0, 0, 0.9, 1, 2)};
  const auto value = [&](const std::string& variant, double map) {
    const RunMaps maps = run_maps(run_with({{"map", map}}, 2, variant), lines_of(items), 10, kSeed);
    return maps.bootstrap ? maps.bootstrap->value("map") : -1;
  };
  CHECK(value("python", 0.51) == doctest::Approx(0.51));
  CHECK(value("lua", 0.5) == doctest::Approx(0.5));
  CHECK(value("lua", 0.51) == -1);
}
