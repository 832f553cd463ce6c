#include "geometry/region_check.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <patchioner/error.hpp>

using namespace patchioner;

namespace {

const ImageGeometry kGeometry =
    geometry_of({.resize_dim = 70, .crop_dim = 70, .patch_size = 14, .mean = {}, .std = {}}, 200, 100);

std::string refusal(const RegionShape& shape) {
  try {
    check_region(shape, kGeometry);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("what is odd but has a meaning is let through") {
  CHECK(refusal(WholeImage{}).empty());
  CHECK(refusal(Box{-500, 0, 0, 3.5}).empty());
  CHECK(refusal(BoxSet{}).empty());
  CHECK(refusal(Trace{{{-2, 7}}}).empty());
  CHECK(refusal(Mask{at::zeros({100, 200}, at::kBool)}).empty());
  CHECK(refusal(Patch{4, 4}).empty());
  CHECK(refusal(ImagePoint{-1, 900}).empty());
}

TEST_CASE("what means nothing on the image is refused in one sentence") {
  CHECK(refusal(Box{0, 0, 3, INFINITY}) ==
        "the box 0,0,3,inf holds a number that is not finite; give x,y,width,height in pixels");
  CHECK(refusal(BoxSet{{{0, 0, 1, 1}, {10, 0.5, -3, 1}}}) ==
        "the box 10,0.5,-3,1 is inverted: its width or height is negative; give x,y of the top left corner, "
        "width, height (not two corners)");
  CHECK(refusal(Trace{{{0, 0}, {0, NAN}}}) == "point 2 of the trace is not finite; give x,y between 0 and 1");
  CHECK(refusal(ImagePoint{NAN, 0}) == "the point nan,0 is not finite; give x,y in pixels");
  CHECK(refusal(Mask{at::zeros({200, 100}, at::kBool)}) ==
        "the mask has 100x200 pixels and the image 200x100; a mask has the size of its image");
  CHECK(refusal(Mask{}) == "the mask is not a picture of rows and columns");
  CHECK(refusal(Patch{0, 5}) == "patch 0,5 lies outside the grid of 5 rows and 5 columns; they count from 0");
}
