// Traces and points to visits per patch (spec/01 section 4.5).
#pragma once

#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>
#include <span>

#include "geometry/cell_grid.hpp"

namespace patchioner {

/// Where the points of a trace fall when the image was cropped; the same when it was squashed.
enum class TraceGeometry {
  mapped,     ///< carried through the crop; points outside it do not count
  reference,  ///< taken as if the crop were the whole image
};

/// How many of the points fall into each cell. Points outside [0,1] do not count; several in one cell all do.
CellGrid trace_counts(std::span<const TracePoint> points, const ImageGeometry& geometry, TraceGeometry rule);

/// A point in pixels as the point of a trace.
TracePoint to_trace_point(const ImagePoint& point, const ImageGeometry& geometry);

}  // namespace patchioner
