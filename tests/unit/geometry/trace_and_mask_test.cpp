// Traces and masks to cells (spec/01 sections 4.5 and 4.8).
#include <doctest/doctest.h>

#include <patchioner/error.hpp>

#include "geometry/mask_cells.hpp"
#include "geometry/trace_cells.hpp"

using namespace patchioner;

namespace {

ImageGeometry make(int64_t width, int64_t height, int64_t resize, int64_t cut, int64_t patch,
                   bool keep_ratio) {
  ImageSpec spec;
  spec.resize_dim = resize;
  spec.crop_dim = cut;
  spec.keep_img_ratio = keep_ratio;
  spec.patch_size = patch;
  return geometry_of(spec, width, height);
}

at::Tensor mask_of(std::initializer_list<int> values, int64_t height, int64_t width) {
  return at::tensor(std::vector<int64_t>(values.begin(), values.end())).to(at::kBool).view({height, width});
}

}  // namespace

TEST_CASE("points are counted, however often and in whatever order") {
  const std::vector<TracePoint> points = {{0.1, 0.1}, {0.9, 0.1}, {0.1, 0.1}, {0.1, 0.9}};
  CHECK(trace_counts(points, make(8, 8, 4, 4, 2, false), TraceGeometry::mapped).values ==
        std::vector<double>{2, 1, 1, 0});
}

TEST_CASE("the border of the image belongs to it, what lies beyond does not count") {
  const std::vector<TracePoint> points = {
      {0, 0}, {1, 1}, {1.0000001, 0.5}, {0.5, -0.0000001}, {std::nan(""), 0.5}};
  CHECK(trace_counts(points, make(8, 8, 4, 4, 2, false), TraceGeometry::mapped).values ==
        std::vector<double>{1, 0, 0, 1});
}

TEST_CASE("a point on a border between cells is divided by the reciprocal, as in the reference") {
  // 19/37 / (1.0/37) is a little below 19 in double precision; 19/37 * 37 is 19.
  const std::vector<TracePoint> points = {{19.0 / 37.0, 0}};
  const CellGrid counts = trace_counts(points, make(8, 8, 37, 37, 1, false), TraceGeometry::mapped);
  CHECK(counts.at(0, 18) == 1);
  CHECK(counts.at(0, 19) == 0);
}

TEST_CASE(
    "on a cropped image points are mapped through the crop, unless the reference's reading is asked for") {
  const ImageGeometry geometry = make(16, 8, 8, 8, 4, true);  // columns 4 to 12 are looked at
  const std::vector<TracePoint> points = {{5.0 / 16, 0.1}, {11.0 / 16, 0.1}, {1.0 / 16, 0.1}};
  CHECK(trace_counts(points, geometry, TraceGeometry::mapped).values == std::vector<double>{1, 1, 0, 0});
  CHECK(trace_counts(points, geometry, TraceGeometry::reference).values == std::vector<double>{2, 1, 0, 0});
}

TEST_CASE("a point in pixels is the one-point trace") {
  const TracePoint point = to_trace_point({32, 12}, make(64, 48, 4, 4, 2, false));
  CHECK(point.x == 0.5);
  CHECK(point.y == 0.25);
}

TEST_CASE("a mask counts each cell by its covered share") {
  const Mask mask{mask_of({1, 1, 0, 0,  //
                           1, 0, 0, 0,  //
                           0, 0, 0, 1,  //
                           0, 0, 0, 0},
                          4, 4)};
  const ImageGeometry geometry = make(4, 4, 8, 8, 4, false);  // cells of 2 x 2 pixels
  CHECK(mask_cells(mask, geometry, MaskRule::coverage).values == std::vector<double>{0.75, 0, 0, 0.25});
  CHECK(mask_cells(mask, geometry, MaskRule::any).values == std::vector<double>{1, 0, 0, 1});
  CHECK(mask_cells(mask, geometry, MaskRule::half).values == std::vector<double>{1, 0, 0, 0});
}

TEST_CASE("cells that cut pixels get their part of them") {
  const Mask mask{mask_of({1, 0, 0}, 1, 3)};
  const CellGrid cells =
      mask_cells(mask, make(3, 1, 4, 4, 2, false), MaskRule::coverage);  // two columns of 1.5 pixels
  CHECK(cells.at(0, 0) == doctest::Approx(1 / 1.5));
  CHECK(cells.at(0, 1) == 0);
  CHECK(cells.at(1, 0) == doctest::Approx(1 / 1.5));
}

TEST_CASE("exactly half is half, whatever the scale") {
  for (const int64_t width : {2, 6, 14, 37, 111, 640}) {
    CAPTURE(width);
    at::Tensor pixels = at::zeros({2, width}, at::kBool);
    pixels[0].fill_(true);
    const CellGrid cells =
        mask_cells({pixels}, make(width, 2, 37, 37, 37, false), MaskRule::half);  // one cell
    CHECK(cells.values == std::vector<double>{1});
  }
}

TEST_CASE("any does not count a cell that the mask only borders on") {
  for (int64_t edge = 1; edge < 37; ++edge) {
    at::Tensor pixels = at::zeros({37, 37 * 3}, at::kBool);
    pixels.slice(1, 0, 3 * edge).fill_(true);
    const CellGrid cells = mask_cells({pixels}, make(111, 37, 518, 518, 14, false), MaskRule::any);
    CHECK(cells.at(5, edge - 1) == 1);
    CHECK(cells.at(5, edge) == 0);
  }
}

TEST_CASE("in crop mode the mask is shifted and cut like the image") {
  at::Tensor pixels = at::zeros({8, 16}, at::kBool);
  pixels.slice(1, 0, 6).fill_(true);
  const CellGrid cells = mask_cells({pixels}, make(16, 8, 8, 8, 4, true), MaskRule::coverage);
  CHECK(cells.values == std::vector<double>{0.5, 0, 0.5, 0});
}

TEST_CASE("a mask of another size than its image is refused with both sizes") {
  CHECK_THROWS_WITH_AS(mask_cells({at::zeros({3, 4}, at::kBool)}, make(5, 3, 4, 4, 2, false), MaskRule::any),
                       doctest::Contains("the mask has 4x3 pixels and the image 5x3"), Error);
  CHECK_THROWS_AS(mask_cells({}, make(5, 3, 4, 4, 2, false), MaskRule::any), Error);
}
