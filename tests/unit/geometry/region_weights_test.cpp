// Regions to weights: what is shared by the aggregators over the grid (spec/01 sections 4.2 to 4.5, 4.8;
// decisions A1 to A7).
#include "geometry/region_weights.hpp"

#include <doctest/doctest.h>

#include <patchioner/error.hpp>

#include "geometry/cell_weights.hpp"

using namespace patchioner;

namespace {

/// What the plugin `uniform` does.
struct Plain : CellWeighting {
  CellGrid image(const CellGrid& like) override { return uniform_weights(like.whole(), like); }
  CellGrid box(const PatchRange& range, const CellGrid& like) override {
    return uniform_weights(range, like);
  }
  CellGrid cells(const CellGrid& uniform) override { return uniform; }
};

/// A map that looks nowhere.
struct Blind : Plain {
  CellGrid box(const PatchRange&, const CellGrid& like) override { return CellGrid(like.rows, like.columns); }
};

ImageGeometry geometry(int64_t cells = 4) {
  ImageSpec spec;
  spec.resize_dim = cells * 10;
  spec.crop_dim = cells * 10;
  spec.patch_size = 10;
  return geometry_of(spec, cells * 10, cells * 10);
}

RegionWeights weigh(std::vector<RegionShape> shapes, RegionRules rules = {},
                    const ImageGeometry& where = geometry()) {
  std::vector<Region> regions;
  for (RegionShape& shape : shapes) {
    regions.push_back({std::move(shape), ""});
  }
  Plain plain;
  return region_weights(regions, where, rules, plain);
}

std::vector<float> row(const RegionWeights& weights, int64_t index = 0) {
  const at::Tensor values = weights.weights[index].contiguous();
  return {values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel()};
}

std::vector<float> only(std::map<int64_t, float> values, int64_t size = 16) {
  std::vector<float> result(size, 0.0F);
  for (const auto& [index, value] : values) {
    result[index] = value;
  }
  return result;
}

RegionRules under_nan() {
  RegionRules rules;
  rules.empty = EmptyRegion::nan;
  return rules;
}

}  // namespace

TEST_CASE("rows come in the order of the regions and sum to 1") {
  const RegionWeights weights =
      weigh({WholeImage{}, Box{0, 0, 15, 5}, Patch{3, 2}, ImagePoint{25, 5}, Trace{{{0.1, 0.1}, {0.9, 0.9}}},
             BoxSet{{{0, 0, 5, 5}, {10, 10, 5, 5}}}, Mask{at::ones({40, 40}, at::kBool)}});
  CHECK(weights.weights.sizes() == at::IntArrayRef{7, 16});
  CHECK(at::allclose(weights.weights.sum(1), at::ones({7})));
  CHECK(row(weights, 0) == std::vector<float>(16, 1.0F / 16));
  CHECK(row(weights, 1) == only({{0, 0.5F}, {1, 0.5F}}));
  CHECK(row(weights, 2) == only({{14, 1.0F}}));
  CHECK(row(weights, 3) == only({{2, 1.0F}}));
  CHECK(row(weights, 4) == only({{0, 0.5F}, {15, 0.5F}}));
  CHECK(row(weights, 5) == only({{0, 0.5F}, {5, 0.5F}}));
  CHECK(row(weights, 6) == std::vector<float>(16, 1.0F / 16));
  CHECK(at::equal(weights.scale, at::ones({7})));
  CHECK(weights.warnings.empty());
}

TEST_CASE("no regions give no rows") {
  CHECK(weigh({}).weights.sizes() == at::IntArrayRef{0, 16});
}

TEST_CASE("a set weights boxes, or with per_patch patches") {
  const BoxSet set{{{0, 0, 35, 35}, {0, 0, 5, 5}}};  // 16 patches and 1
  const float share = 0.5F / 16;
  CHECK(row(weigh({set}))[0] == doctest::Approx(0.5F + share));
  CHECK(row(weigh({set}))[15] == doctest::Approx(share));
  RegionRules rules;
  rules.set = RegionSetRule::per_patch;
  CHECK(row(weigh({set}, rules))[0] == doctest::Approx(2.0F / 17));
  CHECK(row(weigh({set}, rules))[15] == doctest::Approx(1.0F / 17));
}

TEST_CASE("trace_norm patches keeps the reference's scale: points per patch") {
  RegionRules rules;
  rules.trace_norm = TraceNorm::patches;
  const RegionWeights weights =
      weigh({Trace{{{0.1, 0.1}, {0.1, 0.1}, {2, 2}}}, ImagePoint{5, 5}, Box{0, 0, 5, 5}}, rules);
  CHECK(at::equal(weights.scale, at::tensor({2.0F / 16, 1.0F / 16, 1.0F})));
}

TEST_CASE("a box outside the image gets the nearest patch and a warning") {
  const RegionWeights weights = weigh({Box{500, 12, 5, 5}, Box{-5, 12, 10, 5}});
  CHECK(row(weights, 0) == only({{7, 1.0F}}));
  REQUIRE(weights.warnings.size() == 1);  // the second box is partly inside
  CHECK(weights.warnings[0].region == 0);
  CHECK(weights.warnings[0].sentence ==
        "the box 500,12,5,5 lies outside the image of 40x40 pixels; the nearest patch was taken");
}

TEST_CASE("an empty trace, set or mask gets the mean of the whole image and a warning") {
  const RegionWeights weights = weigh({Trace{}, Trace{{{1.5, 0.5}}}, BoxSet{}, BoxSet{{{900, 0, 5, 5}}},
                                       Mask{at::zeros({40, 40}, at::kBool)}, ImagePoint{-1, 3}});
  for (int64_t i = 0; i < 6; ++i) {
    CHECK(row(weights, i) == std::vector<float>(16, 1.0F / 16));
  }
  REQUIRE(weights.warnings.size() == 6);
  CHECK(weights.warnings[1].region == 1);
  CHECK(weights.warnings[1].sentence ==
        "no point of the trace lies on the image of 40x40 pixels; the mean of the whole image was taken");
}

TEST_CASE("under nan an empty region has NaN weights and no warning") {
  const RegionWeights weights =
      weigh({Box{500, 12, 5, 5}, Trace{}, BoxSet{}, Mask{at::zeros({40, 40}, at::kBool)}, Box{-5, 12, 10, 5}},
            under_nan());
  CHECK(weights.weights.isnan().all().item<bool>());
  CHECK(weights.warnings.empty());
}

TEST_CASE("a box of a set outside the image adds nothing") {
  const BoxSet set{{{500, 0, 5, 5}, {10, 0, 5, 5}}};
  CHECK(row(weigh({set})) == only({{1, 1.0F}}));
  CHECK(row(weigh({set}, under_nan())) == only({{1, 1.0F}}));
}

TEST_CASE("a crop moves a box of a set that lies beside it to its border, with a warning") {
  const ImageSpec spec{
      .resize_dim = 70, .crop_dim = 70, .keep_img_ratio = true, .patch_size = 14, .mean = {}, .std = {}};
  const ImageGeometry cropped = geometry_of(spec, 200, 100);
  // 200x100 becomes 140x70, of which columns 35 to 104 are seen; 0,0 is left of them, 95,45 in the middle.
  const RegionWeights weights = weigh({BoxSet{{{0, 0, 5, 5}, {95, 45, 10, 10}}}}, {}, cropped);
  CHECK(row(weights)[0] == doctest::Approx(0.5F));
  CHECK(row(weights)[2 * 5 + 2] == doctest::Approx(0.5F));
  REQUIRE(weights.warnings.size() == 1);
  CHECK(weights.warnings[0].sentence ==
        "the box 0,0,5,5 lies outside the part that is looked at of the image of 200x100 pixels; the nearest "
        "patch was taken");
}

TEST_CASE("a box without area has the patches under its edge, and says so") {
  const RegionWeights weights = weigh({Box{10, 10, 0, 5}, BoxSet{{{10, 10, 0, 5}}}});
  CHECK(row(weights, 0) == only({{5, 1.0F}}));
  CHECK(row(weights, 1) == only({{5, 1.0F}}));
  REQUIRE(weights.warnings.size() == 2);
  CHECK(weights.warnings[0].sentence ==
        "the box 10,10,0,5 has no area; the patches under its edge were taken");
  CHECK(weights.warnings[1].region == 1);
}

TEST_CASE("under nan a box of a set whose four indices sum below zero is padding") {
  // -25 px is index -3; grid[-3:-2] of 4 rows would be row 1.
  const Box box{-25, -25, 5, 5};
  CHECK(row(weigh({box}, under_nan())) == only({{5, 1.0F}}));
  CHECK(weigh({BoxSet{{box}}}, under_nan()).weights.isnan().all().item<bool>());
}

TEST_CASE("weights that are all 0 become equal, with a warning, or NaN") {
  const std::vector<Region> regions = {{Box{0, 0, 15, 5}, ""}};
  Blind blind;
  const RegionWeights weights = region_weights(regions, geometry(), {}, blind);
  CHECK(row(weights) == only({{0, 0.5F}, {1, 0.5F}}));
  CHECK(weights.warnings.size() == 1);
  CHECK(region_weights(regions, geometry(), under_nan(), blind).weights.isnan().all().item<bool>());
}

TEST_CASE("a set whose weights are all 0 has its boxes' patches equally, under either rule") {
  const std::vector<Region> regions = {{BoxSet{{{0, 0, 5, 5}, {35, 35, 5, 5}}}, ""}};
  Blind blind;
  for (const RegionSetRule rule : {RegionSetRule::per_box, RegionSetRule::per_patch}) {
    RegionRules rules;
    rules.set = rule;
    const RegionWeights weights = region_weights(regions, geometry(), rules, blind);
    CHECK(row(weights) == only({{0, 0.5F}, {15, 0.5F}}));
    CHECK_FALSE(weights.warnings.empty());
  }
}

TEST_CASE("a one-patch grid has one answer") {
  const RegionWeights weights =
      weigh({WholeImage{}, Box{3, 3, 2, 2}, Trace{{{0.5, 0.5}}}, Mask{at::ones({10, 10}, at::kBool)}}, {},
            geometry(1));
  CHECK(at::equal(weights.weights, at::ones({4, 1})));
}

TEST_CASE("a patch outside the grid, an inverted box, a mask of another size are refused") {
  CHECK_THROWS_WITH_AS(weigh({Patch{4, 0}}),
                       doctest::Contains("patch 4,0 lies outside the grid of 4 rows and 4 columns"), Error);
  CHECK_THROWS_WITH_AS(weigh({Patch{0, -1}}), doctest::Contains("outside the grid"), Error);
  CHECK_THROWS_WITH_AS(weigh({Box{0, 0, -1, 3}}), doctest::Contains("inverted"), Error);
  CHECK_THROWS_WITH_AS(weigh({BoxSet{{{0, 0, std::nan(""), 3}}}}), doctest::Contains("not finite"), Error);
  CHECK_THROWS_WITH_AS(weigh({Mask{at::ones({40, 41}, at::kBool)}}), doctest::Contains("41x40"), Error);
}

TEST_CASE("kinds have the names of the JSON form") {
  CHECK(kind_name(WholeImage{}) == "image");
  CHECK(kind_name(BoxSet{}) == "boxes");
  CHECK(kind_name(ImagePoint{}) == "point");
}
