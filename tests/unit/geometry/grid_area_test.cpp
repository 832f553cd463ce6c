#include "geometry/grid_area.hpp"

#include <doctest/doctest.h>

using namespace patchioner;

namespace {

ImageGeometry squashed(int64_t width, int64_t height) {
  return geometry_of({.resize_dim = 70, .crop_dim = 70, .patch_size = 14, .mean = {}, .std = {}}, width,
                     height);
}

ImageGeometry cropped(int64_t width, int64_t height) {
  return geometry_of(
      {.resize_dim = 70, .crop_dim = 70, .keep_img_ratio = true, .patch_size = 14, .mean = {}, .std = {}},
      width, height);
}

}  // namespace

TEST_CASE("the grid of a squashed image covers all of it") {
  const Box area = grid_area(squashed(200, 100));
  CHECK(area.x == 0);
  CHECK(area.y == 0);
  CHECK(area.width == 200);
  CHECK(area.height == 100);
}

TEST_CASE("the grid of a cropped image covers its centre square") {
  // 200x100 becomes 140x70; 35 pixels are cut off on either side, 50 of the original.
  const Box area = grid_area(cropped(200, 100));
  CHECK(area.x == doctest::Approx(50));
  CHECK(area.y == 0);
  CHECK(area.width == doctest::Approx(100));
  CHECK(area.height == doctest::Approx(100));
}

TEST_CASE("a crop larger than the resized image is mapped from its corner, as regions are") {
  ImageGeometry geometry = cropped(100, 100);
  geometry.spec.crop_dim = 84;
  geometry.rows = geometry.columns = 6;
  const Box area = grid_area(geometry);
  CHECK(area.x == 0);
  CHECK(area.width == doctest::Approx(120));
}

TEST_CASE("patches that do not divide the input leave its right and bottom out") {
  // As ViT-B/16 at 600 pixels: 37 cells of 16 pixels cover 592 of them.
  const ImageGeometry geometry =
      geometry_of({.resize_dim = 600, .crop_dim = 600, .patch_size = 16, .mean = {}, .std = {}}, 1200, 600);
  CHECK(grid_area(geometry).width == doctest::Approx(1184));
  CHECK(grid_area(geometry).height == doctest::Approx(592));
  const Box cell = cell_area(geometry, 36, 10);
  CHECK(cell.x == doctest::Approx(320));
  CHECK(cell.y == doctest::Approx(576));
  CHECK(cell.width == doctest::Approx(32));
  CHECK(cell.height == doctest::Approx(16));
}

TEST_CASE("cells tile the covered part") {
  const Box cell = cell_area(cropped(200, 100), 4, 0);
  CHECK(cell.x == doctest::Approx(50));
  CHECK(cell.y == doctest::Approx(80));
  CHECK(cell.width == doctest::Approx(20));
  CHECK(cell.height == doctest::Approx(20));
}
