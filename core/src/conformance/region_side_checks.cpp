// What backbone.hpp promises of backbones that encode regions themselves.
#include <fmt/ranges.h>

#include "conformance/backbone_checks.hpp"
#include "conformance/made_inputs.hpp"
#include "conformance/plugin_calls.hpp"

namespace patchioner {
namespace {

using Subject = BackboneSubject;

constexpr size_t kCallers = 2;

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

std::string refused_text(const std::vector<std::string>& refused) {
  return refused.empty() ? "" : fmt::format("refused: {}", fmt::join(refused, ", "));
}

/// `encode_regions` of several regions against each alone.
std::string encodes_regions_as_singles(Subject& subject, const std::vector<Region>& regions,
                                       bool may_refuse) {
  need_regions(subject);
  std::vector<Region> taken;
  std::vector<std::string> refused;
  const at::Tensor alone = encode_each(subject, regions, taken, refused);
  if (taken.empty()) {
    if (may_refuse) {
      return refused_text(refused);
    }
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
  return refused_text(refused);
}

std::string encodes_regions(Subject& subject) {
  return encodes_regions_as_singles(subject, one_region_a_kind(), /*may_refuse=*/false);
}

/// Those regions of one_region_a_kind() that it takes; skips the check when it takes none.
std::vector<Region> taken_regions(Subject& subject) {
  need_regions(subject);
  std::vector<Region> taken;
  std::vector<std::string> refused;
  (void)encode_each(subject, one_region_a_kind(), taken, refused);
  if (taken.empty()) {
    throw CheckSkipped("encode_regions takes no region, see above");
  }
  return taken;
}

std::string encodes_regions_with_any_threads(Subject& subject) {
  const std::vector<Region> regions = taken_regions(subject);
  const auto with = [&](int threads) {
    const ThreadCount count(threads);
    return called("encode_regions", [&] {
      return subject.plugin().encode_regions(subject.pixels().slice(0, 0, 1), regions, subject.geometry());
    });
  };
  expect_same(with(1).features, with(subject.settings.threads).features, subject.settings.tolerance(),
              "the regions' features", fmt::format("with {} threads instead of 1", subject.settings.threads));
  return "";
}

std::string encodes_regions_at_once(Subject& subject) {
  const std::vector<Region> regions = taken_regions(subject);
  const at::Tensor image = subject.pixels().slice(0, 0, 1);
  const ImageGeometry where = subject.geometry();
  const auto encode = [&] { return subject.plugin().encode_regions(image, regions, where); };
  const RegionFeatures alone = called("encode_regions", encode);
  for (const RegionFeatures& result : called("encode_regions", [&] { return at_once(kCallers, encode); })) {
    expect_same(alone.features, result.features, subject.settings.tolerance(), "the regions' features",
                "in a call beside another one");
  }
  return "";
}

std::string encodes_odd_regions(Subject& subject) {
  std::vector<Region> regions = tiny_regions();
  for (Region& region : odd_regions()) {
    regions.push_back(std::move(region));
  }
  return encodes_regions_as_singles(subject, regions, /*may_refuse=*/true);
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
    {"region threads", "regions have the same features with 1 thread and with several",
     encodes_regions_with_any_threads},
    {"regions at once", "two threads may call encode_regions at the same time", encodes_regions_at_once},
    {"no regions", "encode_regions of no regions gives [0,D]", encodes_no_regions},
};

}  // namespace

std::span<const CheckOf<BackboneSubject>> region_side_checks() {
  return kChecks;
}

}  // namespace patchioner
