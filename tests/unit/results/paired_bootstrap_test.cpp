// The bootstrap against what is known in closed form: normal intervals, their coverage, and p-values that are
// uniform when there is nothing to find.
#include "results/paired_bootstrap.hpp"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "support/split_mix.hpp"

using namespace patchioner;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kResamples = 2000;
constexpr uint64_t kSeed = 42;

/// Standard normal values (Box and Muller 1958); another stream for another number.
std::vector<double> normal_values(size_t count, uint64_t stream) {
  uint64_t counter = split_mix(stream + 1);
  const auto uniform = [&] {
    counter += kSplitMixStep;
    return (static_cast<double>(split_mix(counter) >> 11) + 0.5) * 0x1p-53;
  };
  std::vector<double> values;
  for (size_t i = 0; i < count; ++i) {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    values.push_back(radius * std::cos(2 * std::numbers::pi * uniform()));
  }
  return values;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  const double centre = mean(values);
  double squares = 0;
  for (const double value : values) {
    squares += (value - centre) * (value - centre);
  }
  return std::sqrt(squares / static_cast<double>(values.size()));
}

}  // namespace

TEST_CASE("the interval of a mean is the normal one, laid around the metric of the corpus") {
  const std::vector<double> values = normal_values(2000, 1);
  const double half = 1.959964 * deviation(values) / std::sqrt(2000.0);
  const Interval interval = bootstrap_interval(values, mean(values), 20'000, kSeed);
  CHECK(interval.low == doctest::Approx(mean(values) - half).epsilon(0.02));
  CHECK(interval.high == doctest::Approx(mean(values) + half).epsilon(0.02));

  const Interval shifted = bootstrap_interval(values, 7, 20'000, kSeed);
  CHECK(shifted.low == doctest::Approx(interval.low - mean(values) + 7));
  CHECK(shifted.high == doctest::Approx(interval.high - mean(values) + 7));
}

TEST_CASE("95 % intervals hold the true mean in about 95 of 100 samples") {
  constexpr int kSamples = 1000;
  int covered = 0;
  for (int sample = 0; sample < kSamples; ++sample) {
    const std::vector<double> values = normal_values(100, 1000 + sample);
    const Interval interval = bootstrap_interval(values, mean(values), 500, kSeed);
    covered += interval.low <= 0 && 0 <= interval.high ? 1 : 0;
  }
  // The percentile bootstrap of 100 items covers 94.2 % of the time; four standard errors are 2.9 %.
  CHECK(covered > 913);
  CHECK(covered < 971);
}

TEST_CASE("p-values are uniform when row and baseline are alike, and the interval of the difference agrees") {
  constexpr int kSamples = 1000;
  int below_05 = 0;
  int below_50 = 0;
  for (int sample = 0; sample < kSamples; ++sample) {
    const PairedDifference difference = paired_bootstrap(normal_values(100, 5000 + 2 * sample),
                                                         normal_values(100, 5001 + 2 * sample), 500, kSeed);
    below_05 += difference.p_value < 0.05 ? 1 : 0;
    below_50 += difference.p_value < 0.5 ? 1 : 0;
    if (difference.p_value < 0.04) {
      CHECK(difference.interval.low * difference.interval.high >= 0);
    }
    if (difference.p_value > 0.06) {
      CHECK(difference.interval.low < 0);
      CHECK(difference.interval.high > 0);
    }
  }
  CHECK(below_05 > 30);
  CHECK(below_05 < 90);
  CHECK(below_50 > 435);
  CHECK(below_50 < 565);
}

TEST_CASE("two items resample to three means") {
  // 0, 1/2 and 1 with 1/4, 1/2 and 1/4: both ends of the interval are certain.
  const Interval interval = bootstrap_interval(std::vector<double>{0, 1}, 0.5, kResamples, kSeed);
  CHECK(interval.low == 0);
  CHECK(interval.high == 1);
  // Of {1, 1, -1} the mean is below zero in 7 of 27 resamples and never zero.
  const PairedDifference difference =
      paired_bootstrap(std::vector<double>{1, 1, 0}, std::vector<double>{0, 0, 1}, 200'000, kSeed);
  CHECK(difference.delta == doctest::Approx(1.0 / 3));
  CHECK(difference.p_value == doctest::Approx(2 * 7.0 / 27).epsilon(0.01));
}

TEST_CASE("every item is drawn as often as any other, whatever their number") {
  for (const size_t count : {3, 64, 1001}) {
    for (const size_t item : {size_t{0}, count / 2, count - 1}) {
      std::vector<double> values(count, 0.0);
      values[item] = static_cast<double>(count);
      // How often the item is drawn is Poisson's of about 1: its 97.5th percentile is 3.
      CHECK(bootstrap_interval(values, 1, kResamples, kSeed).high == doctest::Approx(3));
    }
  }
}

TEST_CASE("a row and its baseline change sides") {
  const std::vector<double> row = normal_values(301, 7);
  std::vector<double> baseline = normal_values(301, 8);
  baseline[5] = row[5];
  const PairedDifference one = paired_bootstrap(row, baseline, kResamples, kSeed);
  const PairedDifference other = paired_bootstrap(baseline, row, kResamples, kSeed);
  CHECK(one.delta == -other.delta);
  CHECK(one.p_value == other.p_value);
  CHECK(one.wins == other.losses);
  CHECK(one.losses == other.wins);
  CHECK(one.ties == 1);
  CHECK(one.wins + one.losses + one.ties == 301);
  CHECK(one.interval.low == doctest::Approx(-other.interval.high));
  CHECK(one.interval.high == doctest::Approx(-other.interval.low));
}

TEST_CASE("equal rows tie, and what is always better has the smallest p-value there is") {
  const std::vector<double> row = normal_values(50, 9);
  const PairedDifference same = paired_bootstrap(row, row, kResamples, kSeed);
  CHECK(same.delta == 0);
  CHECK(same.p_value == 1);
  CHECK(same.ties == 50);

  std::vector<double> better = row;
  for (double& value : better) {
    value += 0.25;
  }
  const PairedDifference clear = paired_bootstrap(better, row, kResamples, kSeed);
  CHECK(clear.delta == doctest::Approx(0.25));
  CHECK(clear.p_value == 1.0 / kResamples);
  CHECK(clear.wins == 50);
}

TEST_CASE("the same seed draws the same items for all rows, by one thread or two") {
  const std::vector<double> row = normal_values(777, 10);
  const std::vector<double> baseline = normal_values(777, 11);
  std::vector<double> differences;
  for (size_t i = 0; i < row.size(); ++i) {
    differences.push_back(row[i] - baseline[i]);
  }
  const Interval interval = bootstrap_interval(differences, mean(differences), kResamples, kSeed);
  const PairedDifference paired = paired_bootstrap(row, baseline, kResamples, kSeed);
  CHECK(paired.interval.low == doctest::Approx(interval.low));
  CHECK(paired.interval.high == doctest::Approx(interval.high));

  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const PairedDifference alone = paired_bootstrap(row, baseline, kResamples, kSeed);
  at::set_num_threads(threads);
  CHECK(alone.interval.low == paired.interval.low);
  CHECK(alone.interval.high == paired.interval.high);
  CHECK(alone.p_value == paired.p_value);

  const PairedDifference reseeded = paired_bootstrap(row, baseline, kResamples, kSeed + 1);
  CHECK(reseeded.interval.low != paired.interval.low);
}

TEST_CASE("items without a value are left out on both sides") {
  const std::vector<double> row = {1, kNan, 3, 5, 2};
  const std::vector<double> baseline = {0, 1, kNan, 2, 2};
  const PairedDifference difference = paired_bootstrap(row, baseline, kResamples, kSeed);
  const PairedDifference left =
      paired_bootstrap(std::vector<double>{1, 5, 2}, std::vector<double>{0, 2, 2}, kResamples, kSeed);
  CHECK(difference.delta == left.delta);
  CHECK(difference.interval.low == left.interval.low);
  CHECK(difference.wins == 2);
  CHECK(difference.ties == 1);
  CHECK(bootstrap_interval(row, 2.75, kResamples, kSeed).high ==
        bootstrap_interval(std::vector<double>{1, 3, 5, 2}, 2.75, kResamples, kSeed).high);
}

TEST_CASE("of fewer than two items nothing is known beyond their value") {
  const Interval none = bootstrap_interval({}, 0.5, kResamples, kSeed);
  CHECK(none.low == 0.5);
  CHECK(none.high == 0.5);
  const PairedDifference one =
      paired_bootstrap(std::vector<double>{3}, std::vector<double>{1}, kResamples, kSeed);
  CHECK(one.delta == 2);
  CHECK(one.interval.low == 2);
  CHECK(one.interval.high == 2);
  CHECK(one.p_value == 1);
  CHECK(one.wins == 1);
  CHECK(paired_bootstrap({}, {}, kResamples, kSeed).p_value == 1);
}
