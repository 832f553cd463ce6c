#include "verify/region_inputs.hpp"

#include <doctest/doctest.h>

#include <variant>

namespace patchioner {
namespace {

at::Tensor boxes_with_padding() {
  return at::tensor({1, 2, 3, 4, -1, -1, -1, -1, -20, 3, 10, 5, -2, 0, 9, 4}, at::kFloat).view({4, 4});
}

TEST_CASE("padding among boxes keeps its place as a region without a box") {
  const std::vector<Region> regions = box_regions(boxes_with_padding());
  REQUIRE(regions.size() == 4);
  CHECK(std::get<Box>(regions[0].shape).height == 4);
  CHECK(std::get<BoxSet>(regions[1].shape).boxes.empty());
  CHECK(std::get<BoxSet>(regions[2].shape).boxes.empty());  // its numbers sum to -2
  CHECK(std::get<Box>(regions[3].shape).x == -2);
}

TEST_CASE("the boxes of a padded set are all but those of -1 alone") {
  const std::vector<Box> boxes = real_boxes(boxes_with_padding());
  REQUIRE(boxes.size() == 3);
  CHECK(boxes[1].x == -20);
}

}  // namespace
}  // namespace patchioner
