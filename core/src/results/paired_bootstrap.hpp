// How far numbers of a test set can be trusted: the paired bootstrap over items (Efron and Tibshirani 1993;
// for captions and translations, Koehn 2004). map_bootstrap.hpp has that of mAP, which is no mean of items.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace patchioner {

struct Interval {
  double low = 0;
  double high = 0;
};

/// A row against the baseline on the same items.
struct PairedDifference {
  double delta = 0;   ///< mean of the row's values less the mean of the baseline's
  Interval interval;  ///< 95 %, percentile
  double p_value =
      1;  ///< two-sided: twice the share of resamples on the other side of zero, at least 1/resamples
  /// Items on which the row is better; none of the three where the metric is of all items together, as mAP.
  int64_t wins = 0;
  int64_t losses = 0;
  int64_t ties = 0;

  bool counts_items() const { return wins + losses + ties > 0; }
};

/// 95 % of what a statistic came to in resamples, of which there is at least one: the percentiles 2.5 and
/// 97.5.
Interval percentile_interval(std::vector<double> resampled);

/// The p-value of differences in resamples, of which there is at least one, as PairedDifference has it.
double two_sided_p(const std::vector<double>& resampled);

/// `values` are of the items; `corpus` is the metric of all of them, around which the interval of their mean
/// is laid, since corpus metrics (BLEU, METEOR) are no means of items. The same for the same values and seed;
/// rows and metrics of as many items are judged by the same draws, of another number by others. NaN values
/// are left out. Fewer than two items: the interval is the value itself.
Interval bootstrap_interval(std::span<const double> values, double corpus, int64_t resamples, uint64_t seed);

/// `row` and `baseline` are parallel; items of which either is NaN are left out. [any-thread]
PairedDifference paired_bootstrap(std::span<const double> row, std::span<const double> baseline,
                                  int64_t resamples, uint64_t seed);

}  // namespace patchioner
