// Boxes to patches (spec/01 section 4.1). Expected values without a note are worked out by hand from the
// section's rules.
#include "geometry/box_patches.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <patchioner/error.hpp>

using namespace patchioner;

namespace {

ImageGeometry squash(int64_t width, int64_t height, int64_t input = 518, int64_t patch = 14) {
  ImageSpec spec;
  spec.resize_dim = input;
  spec.crop_dim = input;
  spec.patch_size = patch;
  return geometry_of(spec, width, height);
}

ImageGeometry crop(int64_t width, int64_t height, int64_t resize = 224, int64_t cut = 224,
                   int64_t patch = 16) {
  ImageSpec spec;
  spec.resize_dim = resize;
  spec.crop_dim = cut;
  spec.keep_img_ratio = true;
  spec.patch_size = patch;
  return geometry_of(spec, width, height);
}

PatchRange patches(const Box& box, const ImageGeometry& geometry, BoxRule rule = BoxRule::reference,
                   EmptyRegion empty = EmptyRegion::nearest) {
  return patches_of_box(to_input_box(box, geometry), geometry, rule, empty);
}

}  // namespace

TEST_CASE("squash scales each axis on its own and clips nothing") {
  const InputBox box = to_input_box({-64, 48, 320, 960}, squash(640, 480));
  CHECK(box.x == doctest::Approx(-51.8));
  CHECK(box.y == doctest::Approx(51.8));
  CHECK(box.width == doctest::Approx(259));
  CHECK(box.height == doctest::Approx(1036));
}

TEST_CASE("crop scales by the shorter side, shifts by half the margin rounded down, and clips") {
  // 335 x 224 at 224: 335 wide, (335 - 224) / 2 = 55.5 -> 55.
  const InputBox box = to_input_box({60, 10, 400, 20}, crop(335, 224));
  CHECK(box.x == doctest::Approx(5));
  CHECK(box.y == doctest::Approx(10));
  CHECK(box.width == doctest::Approx(219));
  CHECK(box.height == doctest::Approx(20));
  // Cut at the left, a box keeps its width.
  const InputBox left = to_input_box({30, 0, 50, 20}, crop(335, 224));
  CHECK(left.x == 0);
  CHECK(left.width == doctest::Approx(50));
}

TEST_CASE("position and size are rounded down separately and the end is included") {
  CHECK(patches({0, 0, 14, 13}, squash(518, 518)) ==
        PatchRange{0, 1, 0, 2});  // a multiple of the patch: one column extra
  CHECK(patches({13, 13, 2, 2}, squash(518, 518)) ==
        PatchRange{0, 1, 0, 1});  // astride a border: one too few
  CHECK(patches({0, 0, 518, 518}, squash(518, 518)) ==
        PatchRange{0, 37, 0, 37});  // cut at the end of the grid
}

TEST_CASE("intersect takes every patch that the box touches, at least one") {
  const auto touched = [](const Box& box) { return patches(box, squash(518, 518), BoxRule::intersect); };
  CHECK(touched({0, 0, 14, 13}) == PatchRange{0, 1, 0, 1});
  CHECK(touched({13, 13, 2, 2}) == PatchRange{0, 2, 0, 2});
  CHECK(touched({14, 28, 0, 0}) == PatchRange{2, 3, 1, 2});
  CHECK(touched({-20, -20, 30, 30}) == PatchRange{0, 1, 0, 1});
}

TEST_CASE("outside the image the nearest patch is taken, or none as in the reference") {
  const ImageGeometry geometry = squash(518, 518);
  const Box right{518, 518, 10, 10};
  CHECK(patches(right, geometry) == PatchRange{36, 37, 36, 37});
  CHECK(patches(right, geometry, BoxRule::reference, EmptyRegion::nan).empty());
  CHECK(patches(right, geometry, BoxRule::intersect, EmptyRegion::nan).empty());
  const Box left{-5, 20, 20, 20};
  CHECK(patches(left, geometry) == PatchRange{1, 3, 0, 1});
  CHECK(patches(left, geometry, BoxRule::reference, EmptyRegion::nan).empty());
  CHECK(patches(left, geometry, BoxRule::intersect, EmptyRegion::nan) == PatchRange{1, 3, 0, 2});
}

TEST_CASE("under nan a negative start counts from the end, as a Python slice does") {
  // grid[-2 : -1] of 37 rows is row 35: start -28 px is index -2, height 13 px adds 0.
  CHECK(patches({0, -28, 13, 13}, squash(518, 518), BoxRule::reference, EmptyRegion::nan) ==
        PatchRange{35, 36, 0, 1});
}

TEST_CASE("a box is visible when some of it lies on the grid") {
  const ImageGeometry geometry = squash(518, 518);
  CHECK(box_is_visible({0, 0, 0, 0}, geometry));
  CHECK(box_is_visible({-5, -5, 6, 6}, geometry));
  CHECK_FALSE(box_is_visible({-5, -5, 5, 5}, geometry));
  CHECK_FALSE(box_is_visible({518, 0, 5, 5}, geometry));
  CHECK_FALSE(box_is_visible({0, 0, 50, 50}, crop(335, 224)));  // left of the crop
}

TEST_CASE("boxes that mean nothing are refused by name") {
  const ImageGeometry geometry = squash(640, 480);
  CHECK_THROWS_WITH_AS(to_input_box({std::nan(""), 0, 1, 1}, geometry), doctest::Contains("not finite"),
                       Error);
  CHECK_THROWS_WITH_AS(to_input_box({0, std::numeric_limits<double>::infinity(), 1, 1}, geometry),
                       doctest::Contains("not finite"), Error);
  CHECK_THROWS_WITH_AS(to_input_box({10, 10, -3, 1}, geometry),
                       doctest::Contains("the box 10,10,-3,1 is inverted"), Error);
}

TEST_CASE("boxes far outside stay within the arithmetic") {
  CHECK(patches({1e300, -1e300, 1e300, 1e300}, squash(640, 480)).empty() == false);
  CHECK(patches({-1e30, 1e30, 1e30, 5}, squash(640, 480), BoxRule::intersect) == PatchRange{36, 37, 0, 1});
}
