#include "results/paired_bootstrap.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "results/resample_draws.hpp"

namespace patchioner {
namespace {

constexpr double kLow = 0.025;
constexpr double kHigh = 0.975;

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// The mean of one resample.
double resampled_mean(std::span<const double> values, int64_t resample, uint64_t seed) {
  const uint64_t count = values.size();
  ResampleDraws draws(count, resample, seed);
  // Four sums, since additions that wait for each other would take most of the time.
  std::array<double, 4> sums = {};
  uint64_t drawn = 0;
  for (; drawn + 4 <= count; drawn += 4) {
    const ResampleDraws::Two one = draws.next_two();
    const ResampleDraws::Two other = draws.next_two();
    sums[0] += values[one.first];
    sums[1] += values[one.second];
    sums[2] += values[other.first];
    sums[3] += values[other.second];
  }
  for (; drawn < count; ++drawn) {
    sums[0] += values[draws.next_two().first];
  }
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) / static_cast<double>(count);
}

/// In the order of the resamples' numbers, by whichever threads.
std::vector<double> resampled_means(std::span<const double> values, int64_t resamples, uint64_t seed) {
  std::vector<double> means(static_cast<size_t>(resamples));
  constexpr int64_t kLeastDraws = 200'000;  // of a thread: below a tenth of a millisecond no thread pays
  const auto grain = std::max<int64_t>(1, kLeastDraws / static_cast<int64_t>(values.size()));
  at::parallel_for(0, resamples, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      means[static_cast<size_t>(i)] = resampled_mean(values, i, seed);
    }
  });
  return means;
}

/// Interpolated linearly between the two nearest of the sorted values.
double percentile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Interval percentile_interval(std::vector<double> resampled) {
  std::sort(resampled.begin(), resampled.end());
  return {percentile(resampled, kLow), percentile(resampled, kHigh)};
}

double two_sided_p(const std::vector<double>& resampled) {
  const auto not_above =
      std::count_if(resampled.begin(), resampled.end(), [](double difference) { return difference <= 0; });
  const auto not_below =
      std::count_if(resampled.begin(), resampled.end(), [](double difference) { return difference >= 0; });
  const double all = static_cast<double>(resampled.size());
  return std::clamp(2 * static_cast<double>(std::min(not_above, not_below)) / all, 1 / all, 1.0);
}

Interval bootstrap_interval(std::span<const double> values, double corpus, int64_t resamples, uint64_t seed) {
  std::vector<double> numbers(values.begin(), values.end());
  std::erase_if(numbers, [](double value) { return std::isnan(value); });
  if (numbers.size() < 2 || resamples < 1) {
    return {corpus, corpus};
  }
  const double shift = corpus - mean_of(numbers);
  const Interval interval = percentile_interval(resampled_means(numbers, resamples, seed));
  return {interval.low + shift, interval.high + shift};
}

PairedDifference paired_bootstrap(std::span<const double> row, std::span<const double> baseline,
                                  int64_t resamples, uint64_t seed) {
  PairedDifference result;
  std::vector<double> differences;
  differences.reserve(row.size());
  for (size_t i = 0; i < std::min(row.size(), baseline.size()); ++i) {
    if (std::isnan(row[i]) || std::isnan(baseline[i])) {
      continue;
    }
    differences.push_back(row[i] - baseline[i]);
    result.wins += row[i] > baseline[i] ? 1 : 0;
    result.losses += row[i] < baseline[i] ? 1 : 0;
    result.ties += row[i] == baseline[i] ? 1 : 0;
  }
  if (differences.empty()) {
    return result;
  }
  result.delta = mean_of(differences);
  result.interval = {result.delta, result.delta};
  if (differences.size() < 2 || resamples < 1) {
    return result;
  }
  const std::vector<double> means = resampled_means(differences, resamples, seed);
  result.p_value = two_sided_p(means);
  result.interval = percentile_interval(means);
  return result;
}

}  // namespace patchioner
