// Every patch of a region alike: the weighting of the aggregator `uniform`, and where others begin.
#pragma once

#include "geometry/cell_weights.hpp"
#include "geometry/region_weights.hpp"

namespace patchioner {

class UniformWeighting final : public CellWeighting {
 public:
  CellGrid image(const CellGrid& like) override { return uniform_weights(like.whole(), like); }
  CellGrid box(const PatchRange& range, const CellGrid& like) override {
    return uniform_weights(range, like);
  }
  CellGrid cells(const CellGrid& uniform) override { return uniform; }
};

}  // namespace patchioner
