// Points that name patches lie where a patch shows one thing, or the ground alone.
#include "patch_points.hpp"

#include <doctest/doctest.h>

using namespace patchioner;
using namespace patchioner::emoji;

namespace {

/// 140 x 140 pixels of ground: a patch of the coarsest grid has 10 x 10.
Picture meadow() {
  return {cv::Mat(140, 140, CV_8UC3), cv::Mat(140, 140, CV_8U, cv::Scalar(kSurfaceOwner)), {}};
}

Extent put(Picture& picture, const cv::Rect& box, uint8_t mark) {
  picture.owner(box).setTo(mark);
  return {box, 1};
}

}  // namespace

TEST_CASE("a thing's point is the centre of its box, unless something in front covers it") {
  Picture picture = meadow();
  const Extent thing = put(picture, {20, 30, 60, 40}, 1);
  CHECK(point_of_thing(picture, thing, 1) == cv::Point(50, 50));
  put(picture, {60, 30, 20, 40}, 2);
  CHECK(point_of_thing(picture, thing, 1) == cv::Point(50, 50));
  put(picture, {50, 50, 1, 1}, 2);
  CHECK_FALSE(point_of_thing(picture, thing, 1));
}

TEST_CASE("a thing that fills less than half of a patch has no point") {
  Picture picture = meadow();
  CHECK_FALSE(point_of_thing(picture, put(picture, {20, 20, 7, 7}, 1), 1));
  CHECK(point_of_thing(picture, put(picture, {60, 60, 8, 8}, 2), 2) == cv::Point(64, 64));
}

TEST_CASE("a point of the ground has a patch of it on every side") {
  Picture picture = meadow();
  put(picture, {0, 0, 140, 60}, kBackdropOwner);
  put(picture, {0, 0, 70, 140}, 1);
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Random random({seed});
    const auto sky = point_of_ground(picture, kBackdropOwner, random);
    REQUIRE(sky);
    CHECK(sky->x >= 80);
    CHECK(sky->y <= 50);
    const auto surface = point_of_ground(picture, kSurfaceOwner, random);
    REQUIRE(surface);
    CHECK(surface->x >= 80);
    CHECK(surface->y >= 70);
  }
  put(picture, {0, 0, 140, 140}, 2);
  Random random({1});
  CHECK_FALSE(point_of_ground(picture, kSurfaceOwner, random));
}
