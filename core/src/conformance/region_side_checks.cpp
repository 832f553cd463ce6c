// What backbone.hpp promises of backbones that encode regions themselves.
#include <fmt/ranges.h>

#include "conformance/backbone_checks.hpp"
#include "conformance/made_inputs.hpp"
#include "conformance/plugin_calls.hpp"

namespace patchioner {
namespace {

using Subject = BackboneSubject;

void need_regions(Subject& subject) {
  (void)subject.spec();
  if (!subject.capabilities().regions) {
    throw CheckSkipped("capabilities() says that it does not encode regions itself");
  }
}

/// Features of those of the regions that it takes, each asked for alone; which those are is in `taken`.
at::Tensor encode_each(Subject& subject, const std::vector<Region>& regions, std::vector<Region>& taken,
                       std::vector<std::string>& refused) {
  const at::Tensor image = subject.pixels().slice(0, 0, 1);
  const ImageGeometry where = subject.geometry();
  std::vector<at::Tensor> rows;
  for (const Region& region : regions) {
    std::string refusal;
    const auto result = called_or_refused("encode_regions", ErrorKind::data, refusal, [&] {
      return subject.plugin().encode_regions(image, {&region, 1}, where);
    });
    if (!result) {
      refused.push_back(region.id);
      continue;
    }
    expect_tensor(result->features, {1, subject.width()}, fmt::format("the features of {}", region.id));
    expect_finite(result->features, fmt::format("the features of {}", region.id));
    rows.push_back(result->features);
    taken.push_back(region);
  }
  return rows.empty() ? at::Tensor() : at::cat(rows);  // [R,D]
}

/// `encode_regions` of several regions against each alone.
std::string encodes_regions_as_singles(Subject& subject, const std::vector<Region>& regions) {
  need_regions(subject);
  std::vector<Region> taken;
  std::vector<std::string> refused;
  const at::Tensor alone = encode_each(subject, regions, taken, refused);
  if (taken.empty()) {
    throw CheckFailed("encode_regions refused every region: {}", fmt::join(refused, ", "));
  }
  const at::Tensor image = subject.pixels().slice(0, 0, 1);
  const Untouched input({image});
  const RegionFeatures together = called(
      "encode_regions", [&] { return subject.plugin().encode_regions(image, taken, subject.geometry()); });
  input.expect("encode_regions");
  expect_tensor(together.features, alone.sizes(), "the regions' features");
  expect_same(alone, together.features, subject.settings.tolerance(), "the regions' features",
              "beside other regions instead of alone");
  for (const RegionWarning& warning : together.warnings) {
    if (warning.region >= taken.size() || warning.sentence.empty()) {
      throw CheckFailed("encode_regions warns of region {} of {} with the sentence '{}'", warning.region,
                        taken.size(), warning.sentence);
    }
  }
  return refused.empty() ? "" : fmt::format("refused: {}", fmt::join(refused, ", "));
}

std::string encodes_regions(Subject& subject) {
  return encodes_regions_as_singles(subject, one_region_a_kind());
}

std::string encodes_odd_regions(Subject& subject) {
  std::vector<Region> regions = tiny_regions();
  for (Region& region : odd_regions()) {
    regions.push_back(std::move(region));
  }
  return encodes_regions_as_singles(subject, regions);
}

std::string encodes_no_regions(Subject& subject) {
  need_regions(subject);
  const RegionFeatures none = called("encode_regions", [&] {
    return subject.plugin().encode_regions(subject.pixels().slice(0, 0, 1), {}, subject.geometry());
  });
  expect_tensor(none.features, {0, subject.width()}, "the features of no regions");
  return "";
}

constexpr CheckOf<Subject> kChecks[] = {
    {"regions",
     "encode_regions gives [R,D] float32, finite, in order, each the same as alone, for regions of any kind",
     encodes_regions},
    {"odd regions",
     "regions that are tiny, outside or empty have such features too, or are refused with an Error of kind "
     "data",
     encodes_odd_regions},
    {"no regions", "encode_regions of no regions gives [0,D]", encodes_no_regions},
};

}  // namespace

std::span<const CheckOf<BackboneSubject>> region_side_checks() {
  return kChecks;
}

}  // namespace patchioner
