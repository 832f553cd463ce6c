// What aggregators from outside begin with: numbers worked out by hand on a grid of 4 by 4 patches of 10
// pixels.
#include <patchioner/region_patches.hpp>

#include "refusals.hpp"

using namespace patchioner;

namespace {

ImageGeometry geometry() {
  ImageSpec spec;
  spec.resize_dim = 40;
  spec.patch_size = 10;
  return geometry_of(spec, 40, 40);
}

/// The weights [4,4] of one region.
at::Tensor patches_of(RegionShape shape, const RegionOptions& options = {}) {
  const Region region{std::move(shape), ""};
  const RegionWeights found = region_patches({&region, 1}, geometry(), options);
  CHECK(found.scale.item<float>() == 1);
  return found.weights.view({4, 4});
}

struct OwnOptions : RegionOptions {
  int64_t steps = 1;
};

void declare(ParameterList<OwnOptions>& list) {
  list.add("steps", &OwnOptions::steps, "a number of its own");
  declare_region_options(list);
}

}  // namespace

TEST_CASE("the patches of a region count the same and sum to 1") {
  at::Tensor expected = at::zeros({4, 4});
  expected.slice(0, 1, 3).slice(1, 0, 2).fill_(0.25);
  CHECK(at::equal(patches_of(Box{0, 10, 15, 15}), expected));  // floor(15 / 10) patches more than the first
  CHECK(at::allclose(patches_of(WholeImage{}), at::full({4, 4}, 1.0 / 16)));
}

TEST_CASE("a trace counts by its points, without the scale of the reference") {
  at::Tensor expected = at::zeros({4, 4});
  expected[0][0] = 2.0 / 3;
  expected[3][3] = 1.0 / 3;
  CHECK(at::allclose(patches_of(Trace{{{0.1, 0.1}, {0.2, 0.2}, {0.9, 0.9}}}), expected));
}

TEST_CASE("options say what a region selects") {
  RegionOptions options;
  options.box_rule = "intersect";
  CHECK(patches_of(Box{5, 5, 10, 10}, options).count_nonzero().item<int64_t>() == 4);
  options.empty_region = "nan";
  CHECK(patches_of(BoxSet{}, options).isnan().all().item<bool>());
}

TEST_CASE("what was taken for something else comes with a warning, and what means nothing is refused") {
  const std::vector<Region> regions = {{WholeImage{}, ""}, {Box{100, 100, 5, 5}, ""}};
  const RegionWeights found = region_patches(regions, geometry());
  REQUIRE(found.warnings.size() == 1);
  CHECK(found.warnings.front().region == 1);
  CHECK(found.weights.sizes() == at::IntArrayRef({2, 16}));
  const Region outside{Patch{4, 0}, ""};
  refusal_of(ErrorKind::data, [&] { region_patches({&outside, 1}, geometry()); });
}

TEST_CASE("options that derive from the shared ones have their keys") {
  std::vector<std::string> names;
  for (const Parameter& parameter : schema_of<OwnOptions>()) {
    names.push_back(parameter.name);
  }
  CHECK(names == std::vector<std::string>{"steps", "box_rule", "region_set", "mask_rule", "trace_geometry",
                                          "empty_region"});
}
