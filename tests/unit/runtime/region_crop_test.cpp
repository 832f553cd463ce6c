#include "runtime/region_crop.hpp"

#include <doctest/doctest.h>

using namespace patchioner;

namespace {

const ImageGeometry kGeometry =
    geometry_of({.resize_dim = 70, .crop_dim = 70, .patch_size = 14, .mean = {}, .std = {}}, 200, 100);

void check_crop(const RegionShape& shape, const Box& expected, size_t warning_count = 0) {
  std::vector<std::string> warnings;
  const Box box = crop_of(shape, kGeometry, warnings);
  CHECK(box.x == doctest::Approx(expected.x));
  CHECK(box.y == doctest::Approx(expected.y));
  CHECK(box.width == doctest::Approx(expected.width));
  CHECK(box.height == doctest::Approx(expected.height));
  CHECK(warnings.size() == warning_count);
}

}  // namespace

TEST_CASE("the crop of a region is the smallest box around it") {
  check_crop(WholeImage{}, {0, 0, 200, 100});
  check_crop(Box{-5, 3, 20, 10}, {-5, 3, 20, 10});
  check_crop(BoxSet{{{10, 10, 5, 5}, {30, 2, 4, 20}}}, {10, 2, 24, 20});
  check_crop(Trace{{{0.1, 0.5}, {0.4, 0.2}, {1.5, 0.9}}}, {20, 20, 60, 30});  // the last point lies outside
  check_crop(Patch{4, 1}, {40, 80, 40, 20});
  at::Tensor mask = at::zeros({100, 200}, at::kBool);
  mask.slice(0, 10, 30).slice(1, 50, 51).fill_(true);
  check_crop(Mask{mask}, {50, 10, 1, 20});
}

TEST_CASE("a zero width or height becomes one pixel") {
  check_crop(Box{7, 8, 0, 20}, {7, 8, 1, 20}, 1);  // which is said
  check_crop(ImagePoint{50, 60}, {50, 60, 1, 1});  // a point is meant to have no area
}

TEST_CASE("a region with nothing inside takes the whole image and says so") {
  check_crop(Trace{}, {0, 0, 200, 100}, 1);
  check_crop(Trace{{{2, 2}}}, {0, 0, 200, 100}, 1);
  check_crop(BoxSet{}, {0, 0, 200, 100}, 1);
  check_crop(Mask{at::zeros({100, 200}, at::kBool)}, {0, 0, 200, 100}, 1);
  check_crop(ImagePoint{-1, 0}, {0, 0, 200, 100}, 1);
}

TEST_CASE("a box outside the image is cut all the same, and said") {
  check_crop(Box{300, 0, 10, 10}, {300, 0, 10, 10}, 1);
  check_crop(Box{-20, 0, 20, 10}, {-20, 0, 20, 10}, 1);
}
