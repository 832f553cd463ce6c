// The options that the aggregators over the patch grid share (spec/01 section 0): as YAML says them, and as
// the geometry reads them.
#pragma once

#include <patchioner/parameters.hpp>
#include <string>

#include "geometry/box_patches.hpp"
#include "geometry/mask_cells.hpp"
#include "geometry/trace_cells.hpp"

namespace patchioner {

/// How the boxes of a set are put together (spec/01, A2).
enum class RegionSetRule {
  per_box,    ///< each box counts the same, whatever its area
  per_patch,  ///< each selected patch counts the same; one in two boxes counts twice
};

/// What the sum over the points of a trace is divided by (spec/01, A5).
enum class TraceNorm {
  patches,  ///< the number of patches, as the reference does: shorter vectors for shorter traces
  points,   ///< the sum of the weights: a mean
};

struct RegionRules {
  BoxRule box = BoxRule::reference;
  RegionSetRule set = RegionSetRule::per_box;
  MaskRule mask = MaskRule::coverage;
  TraceGeometry trace_geometry = TraceGeometry::mapped;
  TraceNorm trace_norm = TraceNorm::points;
  EmptyRegion empty = EmptyRegion::nearest;
};

struct RegionOptions {
  std::string box_rule = "reference";
  std::string region_set = "per_box";
  std::string mask_rule = "coverage";
  std::string trace_geometry = "mapped";
  std::string empty_region = "nearest";
};

/// The rules that the options name, with TraceNorm::points. The texts have been validated.
RegionRules rules_of(const RegionOptions& options);

/// "coverage", "any" or "half", validated, as the rule.
MaskRule mask_rule_of(const std::string& text);

/// "patches" or "points", validated, as the rule.
TraceNorm trace_norm_of(const std::string& text);

/// Adds the shared options to the declaration of `Options`, a struct derived from RegionOptions.
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

/// Adds the key of traces for the aggregators that the reference has (`field` of Options).
template <class Options>
void declare_trace_norm(ParameterList<Options>& list, std::string Options::*field) {
  list.add("trace_norm", field,
           "what the sum over a trace is divided by: the number of patches of the grid, or of points")
      .choices({"patches", "points"});
}

}  // namespace patchioner
