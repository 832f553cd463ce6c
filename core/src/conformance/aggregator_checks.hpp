// What aggregator.hpp promises of every aggregator.
#pragma once

#include <memory>
#include <optional>
#include <patchioner/aggregator.hpp>
#include <span>
#include <string>
#include <vector>

#include "conformance/check.hpp"
#include "conformance/tensor_checks.hpp"

namespace patchioner {

/// An image as an aggregator sees it.
struct SeenImage {
  ImageGeometry geometry;
  PatchFeatures features;
};

/// An aggregator that is checked. What several checks look at is computed once.
class AggregatorSubject {
 public:
  /// `nan_where_empty`: its options ask for rows of NaN for regions of nothing.
  AggregatorSubject(std::shared_ptr<const Aggregator> aggregator, Another<Aggregator> another,
                    bool nan_where_empty, CheckSettings settings)
      : settings(settings),
        another(std::move(another)),
        nan_where_empty(nan_where_empty),
        aggregator_(std::move(aggregator)) {}

  const Aggregator& plugin() const { return *aggregator_; }
  const CheckSettings settings;
  const Another<Aggregator> another;
  const bool nan_where_empty;

  /// An image of a grid of seven by seven patches, and what `weights` makes of the regions of
  /// one_region_a_kind() that the aggregator takes.
  struct Usual {
    SeenImage image;
    std::vector<Region> regions;
    std::vector<std::string> refused;  ///< what the others are
    RegionWeights weights;             ///< [R,G] float32; the scales have not been looked at
  };

  /// When `weights` does not work, the first check that asks for it fails, those behind are skipped. Skips
  /// the check too when the aggregator weighs nothing.
  const Usual& usual();

 private:
  std::shared_ptr<const Aggregator> aggregator_;
  std::optional<Usual> usual_;
  bool failed_ = false;
};

std::span<const CheckOf<AggregatorSubject>> aggregator_checks();

}  // namespace patchioner
