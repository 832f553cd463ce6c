#include "report/outline.hpp"

#include <doctest/doctest.h>

#include "report/shown.hpp"

using namespace patchioner;

namespace {

ImageGeometry squashed(int64_t width, int64_t height) {
  return geometry_of({.resize_dim = 70, .crop_dim = 70, .patch_size = 14, .mean = {}, .std = {}}, width,
                     height);
}

}  // namespace

TEST_CASE("a patch is drawn as its cell") {
  const Outline outline = outline_of(Patch{1, 3}, squashed(200, 100));
  REQUIRE(outline.polygons.size() == 1);
  CHECK(outline.polygons[0][0].x == doctest::Approx(120));
  CHECK(outline.polygons[0][0].y == doctest::Approx(20));
  CHECK(outline.polygons[0][2].x == doctest::Approx(160));
  CHECK(outline.polygons[0][2].y == doctest::Approx(40));
}

TEST_CASE("a patch of a grid that is not known has no lines") {
  ImageGeometry unknown;
  unknown.image_width = 200;
  unknown.image_height = 100;
  const Outline outline = outline_of(Patch{1, 3}, unknown);
  CHECK(outline.polygons.empty());
  CHECK(outline.dots.empty());
}

TEST_CASE("a mask with a hole has two contours") {
  at::Tensor mask = at::zeros({20, 30}, at::kBool);
  mask.slice(0, 2, 18).slice(1, 5, 25).fill_(true);
  mask.slice(0, 6, 12).slice(1, 10, 20).fill_(false);
  CHECK(outline_of(Mask{mask}, squashed(30, 20)).polygons.size() == 2);
}

TEST_CASE("an empty mask, an empty trace and an empty set have no lines and stand at the corner") {
  for (const RegionShape& shape :
       std::vector<RegionShape>{Mask{at::zeros({20, 30}, at::kBool)}, Trace{}, BoxSet{}, Mask{}}) {
    const Outline outline = outline_of(shape, squashed(30, 20));
    CHECK(outline.polygons.empty());
    CHECK(outline.polylines.empty());
    CHECK(outline.anchor.x == 0);
    CHECK(outline.anchor.y == 0);
  }
}

TEST_CASE("numbers stay inside the image and apart from one another") {
  std::vector<Outline> outlines(4, outline_of(Box{-50, -50, 400, 400}, squashed(100, 100)));
  const std::vector<OutlinePoint> places = place_numbers(outlines, 5, 100, 100);
  for (size_t i = 0; i < places.size(); ++i) {
    CHECK(places[i].x >= 5);
    CHECK(places[i].y >= 5);
    for (size_t j = 0; j < i; ++j) {
      CHECK(std::hypot(places[i].x - places[j].x, places[i].y - places[j].y) >= 10);
    }
  }
}

TEST_CASE("regions are described in a few words") {
  CHECK(describe(WholeImage{}) == "image");
  CHECK(describe(Box{1, 2.5, 30, 40}) == "box 1,2.5 30\u00d740");
  CHECK(describe(BoxSet{{{}, {}}}) == "set of 2 boxes");
  CHECK(describe(Trace{{{0, 0}}}) == "trace of 1 point");
  CHECK(describe(Mask{at::ones({2, 3}, at::kBool)}) == "mask of 6 pixels");
  CHECK(describe(Patch{3, 4}) == "patch 3,4");
  CHECK(describe(ImagePoint{7, 8}) == "point 7,8");
}
