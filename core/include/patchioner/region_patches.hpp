// Which patches a region has, as the aggregators of the program see it: what an aggregator begins with that
// weighs them in a way of its own.
//
//     RegionWeights result = region_patches(regions, geometry, options);        // [R,G]
//     result.weights *= map;                                                    // [G]
//     result.weights /= result.weights.sum(1, true);
#pragma once

#include <patchioner/aggregator.hpp>
#include <patchioner/parameters.hpp>
#include <span>
#include <string>

namespace patchioner {

/// The options that aggregators over the patch grid share (spec/01 section 0); docs/regions.md says what they
/// do. An aggregator's options derive from it, so that its configs have the same keys as everybody's.
struct RegionOptions {
  std::string box_rule = "reference";  ///< "reference" or "intersect": which patches a box has
  std::string region_set = "per_box";  ///< "per_box" or "per_patch": what counts the same in a set of boxes
  std::string mask_rule = "coverage";  ///< "coverage", "any" or "half": which cells a mask has
  std::string trace_geometry = "mapped";  ///< "mapped" or "reference": traces on a cropped image
  std::string empty_region = "nearest";   ///< "nearest" or "nan": what a region without patches gets
};

/// Adds them to the declaration of `Options`, a struct derived from RegionOptions.
template <class Options>
void declare_region_options(ParameterList<Options>& list) {
  using Text = std::string Options::*;
  list.add("box_rule", static_cast<Text>(&RegionOptions::box_rule),
           "patches of a box: the reference's rounding of position and size, or all that intersect it")
      .choices({"reference", "intersect"});
  list.add("region_set", static_cast<Text>(&RegionOptions::region_set),
           "set of boxes: each box counts the same, or each selected patch")
      .choices({"per_box", "per_patch"});
  list.add("mask_rule", static_cast<Text>(&RegionOptions::mask_rule),
           "cells of a mask: weighted by their covered share, any touched one, or those covered by half")
      .choices({"coverage", "any", "half"});
  list.add("trace_geometry", static_cast<Text>(&RegionOptions::trace_geometry),
           "traces on a cropped image: mapped through the crop, or taken as they are")
      .choices({"mapped", "reference"});
  list.add("empty_region", static_cast<Text>(&RegionOptions::empty_region),
           "region without patches: the nearest patch or the whole image, with a warning, or NaN weights")
      .choices({"nearest", "nan"});
}

/// The patches of each region, weighted equally (those of a trace by the number of its points, those of a
/// mask by the covered share): weights [R,G], each row summing to 1 or, under `empty_region: nan`, NaN
/// throughout; a factor of 1; and a warning for each region that was taken for something else. The tensors
/// are the caller's own. Throws what Aggregator::weights may throw. [any-thread]
RegionWeights region_patches(std::span<const Region> regions, const ImageGeometry& geometry,
                             const RegionOptions& options = {});

}  // namespace patchioner
