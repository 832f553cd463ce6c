// The options that the aggregators over the patch grid share (spec/01 section 0) as the geometry reads them;
// as YAML says them they are part of the SDK (region_patches.hpp).
#pragma once

#include <patchioner/parameters.hpp>
#include <patchioner/region_patches.hpp>
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

/// The rules that the options name, with TraceNorm::points. The texts have been validated.
RegionRules rules_of(const RegionOptions& options);

/// "coverage", "any" or "half", validated, as the rule.
MaskRule mask_rule_of(const std::string& text);

/// "patches" or "points", validated, as the rule.
TraceNorm trace_norm_of(const std::string& text);

/// Adds the key of traces for the aggregators that the reference has (`field` of Options).
template <class Options>
void declare_trace_norm(ParameterList<Options>& list, std::string Options::*field) {
  list.add("trace_norm", field,
           "what the sum over a trace is divided by: the number of patches of the grid, or of points")
      .choices({"patches", "points"});
}

}  // namespace patchioner
