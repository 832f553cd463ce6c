// What a region covers, pixel by pixel and patch by patch (spec/01 section 4.6, spec/02 section 6).
#include "geometry/region_cover.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <patchioner/error.hpp>

using namespace patchioner;

namespace {

ImageGeometry make(int64_t width, int64_t height, int64_t resize, int64_t patch, bool keep_ratio = false) {
  ImageSpec spec;
  spec.resize_dim = spec.crop_dim = resize;
  spec.keep_img_ratio = keep_ratio;
  spec.patch_size = patch;
  return geometry_of(spec, width, height);
}

/// 1 in these rows and columns, the ends excluded.
CellGrid block(const CellGrid& like, const PatchRange& range) {
  CellGrid cells(like.rows, like.columns);
  for (int64_t row = range.row_begin; row < range.row_end; ++row) {
    for (int64_t column = range.column_begin; column < range.column_end; ++column) {
      cells.at(row, column) = 1;
    }
  }
  return cells;
}

CellGrid pixels(const RegionShape& shape, const ImageGeometry& geometry) {
  return covered_pixels(shape, geometry, MaskRule::coverage);
}

CellGrid patches(const RegionShape& shape, const ImageGeometry& geometry) {
  return covered_patches(shape, geometry, MaskRule::coverage);
}

bool covers(const CellGrid& cells, const PatchRange& range) {
  return cells.values == block(cells, range).values;
}

}  // namespace

TEST_CASE("a box ends before the pixel that its end lies in") {
  const ImageGeometry geometry = make(28, 28, 28, 7);
  CHECK(covers(pixels(Box{2, 3, 9.5, 12}, geometry), {3, 15, 2, 11}));
  CHECK(covers(pixels(Box{5.9, 6.2, 3.2, 3.7}, geometry), {6, 9, 5, 9}));
  CHECK(pixels(Box{2, 3, 9.5, 12}, geometry).sum() == 108);
}

TEST_CASE("on the patch grid it ends before the patch that its end lies in") {
  const ImageGeometry geometry = make(28, 28, 28, 7);
  CHECK(covers(patches(Box{2, 3, 9.5, 12}, geometry), {0, 2, 0, 1}));
  CHECK(covers(patches(Box{14, 0, 30, 13.2}, geometry), {0, 1, 2, 4}));
  CHECK(covers(patches(Box{0, 0, 14, 14}, geometry), {0, 2, 0, 2}));
}

TEST_CASE("boxes are scaled to the network input, each axis on its own") {
  const ImageGeometry geometry = make(56, 14, 28, 7);
  CHECK(covers(pixels(Box{4, 1, 8, 3}, geometry), {2, 8, 2, 6}));
}

TEST_CASE("a box that holds the end of no pixel covers none") {
  const ImageGeometry geometry = make(28, 28, 28, 7);
  CHECK(pixels(Box{5.2, 5.2, 0.5, 3}, geometry).support().empty());
  CHECK(pixels(Box{5, 5, 0, 0}, geometry).support().empty());
  CHECK(patches(Box{1, 1, 5, 5}, geometry).support().empty());
}

TEST_CASE("a box beside the image covers what the reference's clamping leaves") {
  const ImageGeometry geometry = make(28, 28, 28, 7);
  CHECK(pixels(Box{-20, 3, 10, 5}, geometry).support().empty());
  CHECK(covers(pixels(Box{-20, 3, 25, 5}, geometry), {3, 8, 0, 5}));
  CHECK(covers(pixels(Box{40, 3, 10, 5}, geometry), {3, 8, 27, 28}));
  CHECK(covers(pixels(Box{-1e300, 3, 2e300, 5}, geometry), {3, 8, 0, 0}));
}

TEST_CASE("in crop mode boxes are shifted and cut like the image") {
  const ImageGeometry geometry = make(16, 8, 8, 4, true);  // columns 4 to 12 are looked at
  CHECK(covers(pixels(Box{6, 2, 4, 3}, geometry), {2, 5, 2, 6}));
  CHECK(covers(pixels(Box{10, 2, 6, 3}, geometry), {2, 5, 6, 8}));
}

TEST_CASE("the boxes of a set count once where they overlap") {
  const ImageGeometry geometry = make(28, 28, 28, 7);
  const CellGrid cells = pixels(BoxSet{{{0, 0, 4, 4}, {2, 2, 4, 4}, {2, 2, 1, 1}}}, geometry);
  CHECK(cells.sum() == 16 + 16 - 4);
  CHECK(cells.at(3, 3) == 1);
  CHECK(pixels(BoxSet{}, geometry).support().empty());
}

TEST_CASE("a trace covers each pixel that holds a point, once") {
  const ImageGeometry geometry = make(100, 50, 28, 7);
  const Trace trace{{{0.1, 0.2}, {0.1, 0.2}, {0.5, 0.55}, {0.999, 1.0}, {1.2, 0.3}}};
  const CellGrid cells = pixels(trace, geometry);
  CHECK(cells.sum() == 3);
  CHECK(cells.at(5, 2) == 1);
  CHECK(cells.at(15, 14) == 1);
  CHECK(cells.at(27, 27) == 1);
  CHECK(patches(trace, geometry).sum() == 3);
  CHECK(pixels(Trace{{{1.2, 0.3}}}, geometry).support().empty());
}

TEST_CASE("a point covers one pixel, a patch its square, the image everything") {
  const ImageGeometry geometry = make(100, 50, 28, 7);
  CHECK(covers(pixels(ImagePoint{50, 25}, geometry), {14, 15, 14, 15}));
  CHECK(covers(pixels(Patch{1, 3}, geometry), {7, 14, 21, 28}));
  CHECK(covers(patches(Patch{1, 3}, geometry), {1, 2, 3, 4}));
  CHECK(covers(pixels(WholeImage{}, geometry), {0, 28, 0, 28}));
  CHECK(covers(patches(WholeImage{}, geometry), {0, 4, 0, 4}));
}

TEST_CASE("pixels that the patches leave over belong to the input all the same") {
  const ImageGeometry geometry = make(30, 30, 30, 7);  // 4 x 4 patches, 2 pixels left over
  CHECK(covers(pixels(WholeImage{}, geometry), {0, 30, 0, 30}));
  CHECK(covers(pixels(Box{26, 26, 4, 4}, geometry), {26, 30, 26, 30}));
}

TEST_CASE("a mask is carried to the input by the share of each pixel that it covers") {
  const ImageGeometry geometry = make(4, 4, 2, 2);
  at::Tensor marked = at::zeros({4, 4}, at::kBool);
  marked.slice(0, 0, 2).slice(1, 0, 1).fill_(true);
  const Mask mask{marked};
  CHECK(pixels(mask, geometry).values == std::vector<double>{0.5, 0, 0, 0});
  CHECK(covered_pixels(mask, geometry, MaskRule::any).values == std::vector<double>{1, 0, 0, 0});
  CHECK(covered_pixels(mask, geometry, MaskRule::half).values == std::vector<double>{1, 0, 0, 0});
  CHECK(patches(mask, geometry).values == std::vector<double>{0.125});
  CHECK(pixels(Mask{at::zeros({4, 4}, at::kBool)}, geometry).support().empty());
}

TEST_CASE("the patch under a box is the one that holds its centre, or the nearest") {
  const ImageGeometry geometry = make(28, 28, 28, 7);
  const auto is = [&](const Box& box, int64_t row, int64_t column) {
    const Patch patch = patch_under(box, geometry);
    return patch.row == row && patch.column == column;
  };
  CHECK(is({8, 1, 5, 5}, 0, 1));
  CHECK(is({6, 6, 4, 0.5}, 0, 1));
  CHECK(is({-50, 10, 5, 5}, 1, 0));
  CHECK(is({100, 100, 5, 5}, 3, 3));
}

TEST_CASE("regions that mean nothing on the image are refused") {
  const ImageGeometry geometry = make(28, 28, 28, 7);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const RegionShape& shape : std::vector<RegionShape>{
           Box{nan, 0, 1, 1}, Box{0, 0, -1, 1}, BoxSet{{{0, 0, 1, 1}, {0, 0, 1, -2}}}, Trace{{{0, nan}}},
           Mask{at::zeros({3, 3}, at::kBool)}, Patch{4, 0}, ImagePoint{nan, 0}}) {
    CAPTURE(kind_name(shape));
    CHECK_THROWS_AS(pixels(shape, geometry), Error);
    CHECK_THROWS_AS(patches(shape, geometry), Error);
  }
}
