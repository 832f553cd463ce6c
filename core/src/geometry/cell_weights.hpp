// How the cells of one region are weighted against one another (spec/01 sections 4.2, 4.3 and 4.8). All
// results are relative: whoever uses them divides by their sum.
#pragma once

#include <cstdint>
#include <optional>

#include "geometry/cell_grid.hpp"

namespace patchioner {

/// From this variance on a whole image is weighted uniformly (spec/01 section 4.2); boxes have no such rule.
constexpr double kUniformVariance = 100.0;

/// 1 in every cell of the range, on a grid of the size of `like`.
CellGrid uniform_weights(const PatchRange& range, const CellGrid& like);

/// exp(-(ux^2+uy^2)/variance) with u from -1 to 1 over the rows and columns of the range; the largest is 1.
/// `variance` above 0.
CellGrid gaussian_weights(const PatchRange& range, double variance, const CellGrid& like);

/// 1 in the middle cell of the range. A side of even length has two: the lower is taken, or, with `seed`, one
/// drawn from the seed and the range, so that the same question has the same answer.
CellGrid central_weights(const PatchRange& range, std::optional<uint64_t> seed, const CellGrid& like);

/// The weights times the gaussian over the smallest rectangle around them.
CellGrid gaussian_among(const CellGrid& weights, double variance);

/// 1 in the cell with weight that is nearest to the centre of the smallest rectangle around all of them; ties
/// go to the lower row, then the lower column.
CellGrid central_among(const CellGrid& weights);

/// The weights times the map, cell by cell.
CellGrid product(const CellGrid& weights, const CellGrid& map);

}  // namespace patchioner
