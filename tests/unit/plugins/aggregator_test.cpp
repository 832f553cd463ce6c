// The six aggregators through the host, as a config asks for them (spec/01 sections 0 and 4). What they share
// is tested with the geometry; here stands what each does on its own.
#include <doctest/doctest.h>

#include <cmath>
#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "runtime/plugin_host.hpp"

namespace patchioner {
namespace {

std::shared_ptr<Aggregator> aggregator(const std::string& yaml) {
  PluginHost host;
  return host.aggregator(parse_yaml(yaml, "test.yaml"), PluginContext());
}

/// A square grid of cells of 10 pixels, on an image of the input's size.
ImageGeometry grid(int64_t cells) {
  ImageSpec spec;
  spec.resize_dim = cells * 10;
  spec.crop_dim = cells * 10;
  spec.patch_size = 10;
  return geometry_of(spec, cells * 10, cells * 10);
}

/// A map over a 2x2 grid: 0.1 0.2 / 0.3 0.4.
PatchFeatures small_map() {
  PatchFeatures features;
  features.attention = at::tensor({0.1F, 0.2F, 0.3F, 0.4F}).view({2, 2});
  return features;
}

RegionWeights weigh(const std::string& yaml, std::vector<RegionShape> shapes, const ImageGeometry& geometry,
                    const PatchFeatures& features = {}) {
  std::vector<Region> regions;
  for (RegionShape& shape : shapes) {
    regions.push_back({std::move(shape), ""});
  }
  return aggregator(yaml)->weights(regions, geometry, features);
}

void check_row(const at::Tensor& row, std::vector<float> expected) {
  CAPTURE(row);
  CHECK(at::allclose(row, at::tensor(expected), 1e-6, 1e-7));
}

const Box kTop{0, 0, 15, 5};   // cells 0 and 1
const Box kLeft{0, 0, 5, 15};  // cells 0 and 2
const Box kAll{0, 0, 20, 20};

}  // namespace

TEST_CASE("each aggregator says what it has to be fed with") {
  for (const char* name : {"uniform", "gaussian", "central"}) {
    CAPTURE(name);
    CHECK(aggregator(std::string("plugin: ") + name)->source() == FeatureSource::patches);
    CHECK_FALSE(aggregator(std::string("plugin: ") + name)->needs_attention());
  }
  CHECK(aggregator("plugin: attention")->source() == FeatureSource::patches);
  CHECK(aggregator("plugin: attention")->needs_attention());
  CHECK(aggregator("plugin: cls")->source() == FeatureSource::global);
  CHECK(aggregator("plugin: crop")->source() == FeatureSource::crops);
  CHECK_FALSE(weigh("plugin: crop", {kTop}, grid(2)).weights.defined());
}

TEST_CASE("uniform keeps the reference's scale of traces unless points is asked for") {
  const Trace trace{{{0.1, 0.1}, {0.2, 0.2}, {0.9, 0.9}}};
  check_row(weigh("plugin: uniform", {trace}, grid(2)).scale, {0.75F});
  check_row(weigh("{plugin: uniform, trace_norm: points}", {trace}, grid(2)).scale, {1.0F});
}

TEST_CASE("gaussian on a box has its middle there, on the image in the image's") {
  const double corner = std::exp(-2.0);
  const double edge = std::exp(-1.0);
  const double sum = 1 + 4 * edge + 4 * corner;
  const RegionWeights weights = weigh("plugin: gaussian", {WholeImage{}, Box{0, 0, 25, 5}}, grid(3));
  CHECK(weights.weights[0][4].item<double>() == doctest::Approx(1 / sum));
  CHECK(weights.weights[0][0].item<double>() == doctest::Approx(corner / sum));
  CHECK(weights.weights[1][1].item<double>() == doctest::Approx(1 / (1 + 2 * edge)));
}

TEST_CASE("from variance 100 on an image is uniform and a box is not") {
  const RegionWeights weights =
      weigh("{plugin: gaussian, variance: 100}", {WholeImage{}, Box{0, 0, 25, 25}}, grid(3));
  CHECK(at::equal(weights.weights[0], at::full({9}, 1.0F / 9)));
  CHECK(weights.weights[1][4].item<float>() > weights.weights[1][0].item<float>());
}

TEST_CASE("variance 0 is the central patch, on every kind of region") {
  at::Tensor mask = at::zeros({50, 50}, at::kBool);
  mask.slice(0, 0, 10).fill_(true);
  const std::vector<RegionShape> shapes = {WholeImage{}, Box{10, 10, 25, 25},
                                           Trace{{{0.1, 0.1}, {0.9, 0.1}, {0.5, 0.15}}}, Mask{mask},
                                           Patch{4, 3}};
  const RegionWeights gaussian = weigh("{plugin: gaussian, variance: 0}", shapes, grid(5));
  const RegionWeights central = weigh("plugin: central", shapes, grid(5));
  CHECK(at::equal(gaussian.weights, central.weights));
  CHECK(at::equal(central.weights.argmax(1), at::tensor({12, 12, 2, 2, 23}, at::kLong)));
  CHECK(at::equal(central.weights.sum(1), at::ones({5})));
}

TEST_CASE("attention weights the patches of a region by the map") {
  const RegionWeights weights = weigh(
      "plugin: attention", {WholeImage{}, kTop, Trace{{{0.1, 0.1}, {0.1, 0.9}, {0.1, 0.9}}}, Patch{1, 0}},
      grid(2), small_map());
  check_row(weights.weights[0], {0.1F, 0.2F, 0.3F, 0.4F});
  check_row(weights.weights[1], {1.0F / 3, 2.0F / 3, 0, 0});
  check_row(weights.weights[2], {1.0F / 7, 0, 6.0F / 7, 0});
  check_row(weights.weights[3], {0, 0, 1, 0});
  // The whole image's sum over the number of patches; of the trace sum(count * a) over it; boxes are means.
  check_row(weights.scale, {0.25F, 1, 0.7F / 4, 1});
}

TEST_CASE("attention_norm sum and trace_norm points make true means") {
  const RegionWeights weights = weigh("{plugin: attention, attention_norm: sum, trace_norm: points}",
                                      {WholeImage{}, ImagePoint{5, 5}}, grid(2), small_map());
  check_row(weights.scale, {1, 1});
}

TEST_CASE("attention_writeback lets later boxes of the image see what earlier ones wrote") {
  const RegionWeights clean = weigh("plugin: attention", {kTop, kLeft}, grid(2), small_map());
  check_row(clean.weights[1], {0.25F, 0, 0.75F, 0});
  // The first box leaves 1/3 2/3 / 0.3 0.4.
  const RegionWeights written =
      weigh("{plugin: attention, attention_writeback: true}", {kTop, kLeft}, grid(2), small_map());
  check_row(written.weights[0], {1.0F / 3, 2.0F / 3, 0, 0});
  const float left = 1.0F / 3;
  check_row(written.weights[1], {left / (left + 0.3F), 0, 0.3F / (left + 0.3F), 0});
}

TEST_CASE("attention_writeback starts afresh in every set") {
  const BoxSet set{{kTop, kLeft}};
  const RegionWeights weights =
      weigh("{plugin: attention, attention_writeback: true}", {kAll, set, set}, grid(2), small_map());
  CHECK(at::equal(weights.weights[1], weights.weights[2]));
}

TEST_CASE("attention_writeback does not change the features it is given") {
  const PatchFeatures features = small_map();
  const at::Tensor before = features.attention.clone();
  weigh("{plugin: attention, attention_writeback: true}", {kTop, kLeft}, grid(2), features);
  CHECK(at::equal(features.attention, before));
}

TEST_CASE("an attention map that is negative or not finite is refused") {
  for (const float bad : {std::nanf(""), -0.1F, std::numeric_limits<float>::infinity()}) {
    PatchFeatures features = small_map();
    features.attention[1][0] = bad;
    CHECK_THROWS_WITH_AS(weigh("plugin: attention", {kTop}, grid(2), features),
                         doctest::Contains("negative or not finite"), Error);
  }
}

TEST_CASE("an attention map that is 0 under a whole set weighs its patches equally, and says so") {
  PatchFeatures features = small_map();
  features.attention = at::tensor({0.0F, 0.0F, 0.5F, 0.5F}).view({2, 2});
  const RegionWeights weights =
      weigh("{plugin: attention, region_set: per_patch}", {BoxSet{{kTop}}}, grid(2), features);
  CHECK(at::equal(weights.weights, at::tensor({0.5F, 0.5F, 0.0F, 0.0F}).view({1, 4})));
  CHECK(weights.warnings.size() == 1);
}

TEST_CASE("attention without a map, or with one of another grid, is refused") {
  CHECK_THROWS_WITH_AS(weigh("plugin: attention", {WholeImage{}}, grid(2)),
                       doctest::Contains("needs an attention map"), Error);
  CHECK_THROWS_WITH_AS(weigh("plugin: attention", {WholeImage{}}, grid(3), small_map()),
                       doctest::Contains("has 4 values for a grid of 3 rows"), Error);
}

TEST_CASE("wrong options are refused by name") {
  CHECK_THROWS_WITH_AS(aggregator("{plugin: uniform, box_rule: touching}"), doctest::Contains("box_rule"),
                       Error);
  CHECK_THROWS_WITH_AS(aggregator("{plugin: gaussian, varience: 1}"), doctest::Contains("variance"), Error);
  CHECK_THROWS_WITH_AS(aggregator("{plugin: gaussian, variance: -1}"), doctest::Contains("variance"), Error);
  CHECK_THROWS_WITH_AS(aggregator("{plugin: cls, box_rule: reference}"), doctest::Contains("box_rule"),
                       Error);
  CHECK_THROWS_WITH_AS(aggregator("{plugin: attention, attention_writeback: true, region_set: per_patch}"),
                       doctest::Contains("exclude each other"), Error);
}

}  // namespace patchioner
