#include "conformance/aggregator_checks.hpp"

#include <fmt/ranges.h>

#include <cmath>

#include "conformance/made_inputs.hpp"
#include "conformance/plugin_calls.hpp"

namespace patchioner {
namespace {

using Subject = AggregatorSubject;

constexpr double kSumTolerance = 1e-3;  // of a row of weights
constexpr size_t kCallers = 4;
constexpr int64_t kPatchSize = 16;
constexpr int64_t kRows = 7;  // and columns of the usual grid, whose middle is a patch

SeenImage seen_image(const Subject& subject, int64_t rows, bool keep_img_ratio = false) {
  constexpr int64_t kDim = 8;
  constexpr uint64_t kSeed = 11;
  ImageSpec spec;
  spec.resize_dim = spec.crop_dim = rows * kPatchSize;
  spec.keep_img_ratio = keep_img_ratio;
  spec.patch_size = kPatchSize;
  spec.std = {1, 1, 1};
  SeenImage image;
  image.geometry = geometry_of(spec, kCheckedImageWidth, kCheckedImageHeight);
  const at::Device device = subject.settings.context.device;
  image.features.patches = drawn_normal({rows, rows, kDim}, kSeed).to(device);
  image.features.global = drawn_normal({kDim}, kSeed + 1).to(device);
  image.features.attention =
      at::softmax(drawn_normal({rows * rows}, kSeed + 2), 0).reshape({rows, rows}).to(device);
  return image;
}

FeatureSource source(Subject& subject) {
  return called("source", [&] { return subject.plugin().source(); });
}

void need_weights(Subject& subject) {
  switch (source(subject)) {
    case FeatureSource::global:
      throw CheckSkipped("it takes the global token and weighs nothing");
    case FeatureSource::crops:
      throw CheckSkipped("it takes cuts of the image and weighs nothing");
    case FeatureSource::native:
      throw CheckSkipped("it lets the backbone encode regions and weighs nothing");
    case FeatureSource::patches:
      break;
  }
}

RegionWeights weigh(Subject& subject, const std::vector<Region>& regions, const SeenImage& image) {
  return called("weights", [&] { return subject.plugin().weights(regions, image.geometry, image.features); });
}

void expect_weights(const RegionWeights& weights, size_t regions, const SeenImage& image) {
  expect_tensor(weights.weights, {static_cast<int64_t>(regions), image.geometry.patches()}, "the weights");
}

/// Those of the regions that it takes, each asked for alone. One that it does not take is refused with an
/// Error of kind data; `refused` gets what it is.
std::vector<Region> taken(Subject& subject, const std::vector<Region>& regions, const SeenImage& image,
                          std::vector<std::string>& refused) {
  std::vector<Region> result;
  for (const Region& region : regions) {
    std::string refusal;
    const auto weights = called_or_refused("weights", ErrorKind::data, refusal, [&] {
      return subject.plugin().weights({&region, 1}, image.geometry, image.features);
    });
    if (weights) {
      result.push_back(region);
    } else {
      refused.push_back(region.id);
    }
  }
  return result;
}

/// The same, of which it has to take one at least.
std::vector<Region> some_taken(Subject& subject, const std::vector<Region>& regions, const SeenImage& image) {
  std::vector<std::string> refused;
  std::vector<Region> result = taken(subject, regions, image, refused);
  if (result.empty()) {
    throw CheckFailed("it takes none of {}", fmt::join(refused, ", "));
  }
  return result;
}

std::string refused_text(const std::vector<std::string>& refused) {
  return refused.empty() ? "" : fmt::format("it does not take {}", fmt::join(refused, ", "));
}

/// Each row sums to 1; where `may_be_empty`, a row of NaN says that there is nothing.
void expect_rows(const RegionWeights& weights, const std::vector<Region>& regions, bool may_be_empty) {
  const at::Tensor rows = weights.weights.to(at::kCPU, at::kDouble);  // [R,G]
  for (size_t i = 0; i < regions.size(); ++i) {
    const at::Tensor row = rows[static_cast<int64_t>(i)];
    if (may_be_empty && row.isnan().all().item<bool>()) {
      continue;
    }
    const double sum = row.sum().item<double>();
    if (!(std::abs(sum - 1) <= kSumTolerance)) {
      throw CheckFailed("the weights of {} sum to {:.6g}; each row sums to 1{}", regions[i].id, sum,
                        may_be_empty ? ", or is NaN throughout for a region of nothing"
                        : std::isnan(sum)
                            ? ", and is NaN only for a region of nothing under empty_region: nan"
                            : "");
    }
    expect_finite(row, fmt::format("the weights of {}", regions[i].id));
  }
}

std::string states_its_source(Subject& subject) {
  const FeatureSource first = source(subject);
  if (first != FeatureSource::patches && first != FeatureSource::global && first != FeatureSource::crops &&
      first != FeatureSource::native) {
    throw CheckFailed("source() is {}, and there are 0 (patches) to 3 (native)", static_cast<int>(first));
  }
  if (first != source(subject)) {
    throw CheckFailed("source() gives another answer the second time");
  }
  const bool attention = called("needs_attention", [&] { return subject.plugin().needs_attention(); });
  if (first == FeatureSource::patches) {
    return attention ? "it weighs patches, with the attention map" : "it weighs patches";
  }
  if (attention) {
    throw CheckFailed("needs_attention() is true, but source() is not patches: nothing reads the map");
  }
  const std::vector<Region> regions = one_region_a_kind();
  const RegionWeights none = weigh(subject, regions, seen_image(subject, kRows));
  if (none.weights.defined() || none.scale.defined()) {
    throw CheckFailed("source() is not patches, but weights() gives tensors; the runtime feeds the regions");
  }
  return first == FeatureSource::global  ? "it takes the global token"
         : first == FeatureSource::crops ? "it takes cuts of the image"
                                         : "it lets the backbone encode regions";
}

std::string weighs_every_kind(Subject& subject) {
  return refused_text(subject.usual().refused);
}

std::string sums_to_one(Subject& subject) {
  const auto& [image, regions, refused, weights] = subject.usual();
  expect_rows(weights, regions, /*may_be_empty=*/false);
  return "";
}

std::string scales(Subject& subject) {
  const auto& [image, regions, refused, weights] = subject.usual();
  if (weights.scale.defined()) {
    expect_tensor(weights.scale, {static_cast<int64_t>(regions.size())}, "the scales");
    expect_finite(weights.scale, "the scales");
  }
  for (const RegionWarning& warning : weights.warnings) {
    if (warning.region >= regions.size() || warning.sentence.empty()) {
      throw CheckFailed("it warns of region {} of {} with the sentence '{}'", warning.region, regions.size(),
                        warning.sentence);
    }
  }
  const bool scaled = weights.scale.defined() && !weights.scale.eq(1).all().item<bool>();
  return scaled ? "some are not 1" : "";
}

std::string weighs_no_regions(Subject& subject) {
  (void)subject.usual();
  const SeenImage image = seen_image(subject, kRows);
  expect_weights(weigh(subject, {}, image), 0, image);
  return "";
}

std::string weighs_one_patch(Subject& subject) {
  (void)subject.usual();
  const SeenImage image = seen_image(subject, 1);
  std::vector<std::string> refused;
  const std::vector<Region> regions = taken(subject, one_region_a_kind(), image, refused);
  if (regions.empty()) {
    throw CheckSkipped("it takes no region on a grid of one patch");
  }
  const RegionWeights weights = weigh(subject, regions, image);
  expect_weights(weights, regions.size(), image);
  expect_rows(weights, regions, /*may_be_empty=*/false);
  return refused_text(refused);
}

/// Regions that may be nothing: rows of sum 1, or of NaN where the options ask for it.
std::string weighs_unusual(Subject& subject, const std::vector<Region>& all) {
  (void)subject.usual();
  const SeenImage image = seen_image(subject, kRows);
  std::vector<std::string> refused;
  const std::vector<Region> regions = taken(subject, all, image, refused);
  const RegionWeights weights = weigh(subject, regions, image);
  expect_weights(weights, regions.size(), image);
  expect_rows(weights, regions, subject.nan_where_empty);
  return refused_text(refused);
}

std::string weighs_tiny_regions(Subject& subject) {
  return weighs_unusual(subject, tiny_regions());
}

std::string weighs_odd_regions(Subject& subject) {
  return weighs_unusual(subject, odd_regions());
}

std::string refuses_bad_regions(Subject& subject) {
  (void)subject.usual();
  const SeenImage image = seen_image(subject, kRows);
  const std::vector<Region> bad = {
      {Patch{kRows, 0}, "a patch below the grid"},
      {Patch{-1, 2}, "a patch of row -1"},
      {Mask{at::ones({10, 10}, at::kBool)}, "a mask of another size than the image"}};
  for (const Region& region : bad) {
    must_refuse("weights", region.id, ErrorKind::data, [&] {
      subject.plugin().weights({&region, 1}, image.geometry, image.features);
    });
  }
  return "";
}

std::string weighs_many_as_singles(Subject& subject) {
  (void)subject.usual();
  const SeenImage image = seen_image(subject, kRows);
  std::vector<std::string> refused;
  const std::vector<Region> regions = taken(subject, separate_boxes(), image, refused);
  if (regions.empty()) {
    throw CheckSkipped("it takes no boxes, which are what is compared");
  }
  const RegionWeights together = weigh(subject, regions, image);
  expect_weights(together, regions.size(), image);
  for (size_t i = 0; i < regions.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    const RegionWeights alone = weigh(subject, {regions[i]}, image);
    expect_same(together.weights.slice(0, row, row + 1), alone.weights, subject.settings.tolerance(),
                fmt::format("the weights of the box {}", regions[i].id),
                "alone instead of beside boxes that do not touch it");
  }
  return "";
}

std::string weighs_the_same_again(Subject& subject) {
  const auto& [image, regions, refused, first] = subject.usual();
  const RegionWeights second = weigh(subject, regions, image);
  expect_same(first.weights, second.weights, subject.settings.tolerance(), "the weights", "in a second call");
  expect_same(first.scale, second.scale, subject.settings.tolerance(), "the scales", "in a second call");
  return "";
}

std::string weighs_with_any_threads(Subject& subject) {
  const Subject::Usual& usual = subject.usual();
  const auto with = [&](int threads) {
    const ThreadCount count(threads);
    return weigh(subject, usual.regions, usual.image).weights;
  };
  expect_same(with(1), with(subject.settings.threads), subject.settings.tolerance(), "the weights",
              fmt::format("with {} threads instead of 1", subject.settings.threads));
  return "";
}

std::string weighs_at_once(Subject& subject) {
  const Subject::Usual& usual = subject.usual();
  const auto results = called("weights", [&] {
    return at_once(kCallers, [&] {
      return subject.plugin().weights(usual.regions, usual.image.geometry, usual.image.features);
    });
  });
  for (const RegionWeights& result : results) {
    expect_same(usual.weights.weights, result.weights, subject.settings.tolerance(), "the weights",
                "in a call beside others");
  }
  return "";
}

std::string weighs_in_inference_mode(Subject& subject) {
  const Subject::Usual& usual = subject.usual();
  const auto fresh = called("the factory, a second time,", subject.another);
  const auto results = called("weights", [&] {
    return in_and_out_of_inference(
        [&] { return fresh->weights(usual.regions, usual.image.geometry, usual.image.features); });
  });
  const double tolerance = subject.settings.tolerance();
  expect_same(results[0].weights, results[1].weights, tolerance, "the weights",
              "outside of inference mode, after a call in it");
  expect_same(results[0].weights, results[2].weights, tolerance, "the weights",
              "in inference mode, after a call outside of it");
  return "";
}

std::string leaves_its_input(Subject& subject) {
  (void)subject.usual();
  const SeenImage image = seen_image(subject, kRows);
  const std::vector<Region> regions = one_region_a_kind();
  std::vector<at::Tensor> inputs = {image.features.patches, image.features.global, image.features.attention};
  for (const Region& region : regions) {
    if (const Mask* mask = std::get_if<Mask>(&region.shape)) {
      inputs.push_back(mask->pixels);
    }
  }
  const Untouched input(inputs);
  (void)weigh(subject, some_taken(subject, regions, image), image);
  input.expect("weights");
  return "";
}

std::string reads_what_it_declares(Subject& subject) {
  const Subject::Usual& usual = subject.usual();
  SeenImage image = usual.image;
  image.features.global = at::Tensor();
  if (called("needs_attention", [&] { return subject.plugin().needs_attention(); })) {
    (void)weigh(subject, usual.regions, image);
    return "";
  }
  image.features.attention = at::Tensor();
  try {
    expect_weights(weigh(subject, usual.regions, image), usual.regions.size(), image);
  } catch (const CheckFailed& failure) {
    throw CheckFailed("without an attention map, which needs_attention() does not ask for: {}",
                      failure.what());
  }
  return "";
}

std::string weighs_cropped_images(Subject& subject) {
  // What it takes of images that were not cropped: the geometry alone is the question then.
  const std::vector<Region>& regions = subject.usual().regions;
  const SeenImage image = seen_image(subject, kRows, /*keep_img_ratio=*/true);
  std::vector<Region> kept;
  std::string refusal;
  for (const Region& region : regions) {
    std::string of_geometry;
    const auto weights = called_or_refused("weights", ErrorKind::config, of_geometry, [&] {
      try {
        return std::optional(subject.plugin().weights({&region, 1}, image.geometry, image.features));
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::data) {
          throw;
        }
        refusal = error.what();
        return std::optional<RegionWeights>();
      }
    });
    if (!weights) {
      return "refused: " + of_geometry;
    }
    if (*weights) {
      kept.push_back(region);
    }
  }
  if (kept.empty()) {
    throw CheckSkipped("it takes no region of a cropped image: {}", refusal);
  }
  const RegionWeights weights = weigh(subject, kept, image);
  expect_weights(weights, kept.size(), image);
  expect_rows(weights, kept, /*may_be_empty=*/false);
  return "";
}

constexpr CheckOf<Subject> kChecks[] = {
    {"source",
     "source() is one of the four; where it is not patches, weights() gives undefined tensors and no "
     "attention "
     "map is asked for",
     states_its_source},
    {"weights",
     "weights() gives [R,G] float32 for regions of every kind, or refuses a kind with an Error of kind data",
     weighs_every_kind},
    {"sum", "each row of weights is finite and sums to 1", sums_to_one},
    {"scales", "scale is [R] float32 and finite, or undefined; warnings name regions that there are", scales},
    {"no regions", "without regions the weights are [0,G]", weighs_no_regions},
    {"one patch",
     "on a grid of one patch a region has the weight 1, or is refused with an Error of kind data",
     weighs_one_patch},
    {"tiny regions",
     "regions smaller than a pixel or a patch have rows that sum to 1, or are NaN throughout under "
     "`empty_region: nan`, or are refused with an Error of kind data",
     weighs_tiny_regions},
    {"odd regions",
     "regions that cross the border, lie outside or hold nothing have such rows too, or are refused with an "
     "Error of "
     "kind data",
     weighs_odd_regions},
    {"bad regions",
     "a patch outside the grid and a mask of another size are refused with an Error of kind data",
     refuses_bad_regions},
    {"many regions", "a box has the same weights alone as beside boxes that do not touch it",
     weighs_many_as_singles},
    {"again", "a second call gives the same", weighs_the_same_again},
    {"threads", "weights are the same with 1 thread and with several", weighs_with_any_threads},
    {"at once", "several threads may call weights() at the same time", weighs_at_once},
    {"inference mode", "weights are the same in LibTorch's inference mode, outside of it, and in it again",
     weighs_in_inference_mode},
    {"input", "features and masks stay as they are", leaves_its_input},
    {"declared features",
     "the attention map is not needed unless needs_attention() says so, nor the global token",
     reads_what_it_declares},
    {"cropped images",
     "it weighs images that were cropped too, or refuses their geometry with an Error of kind config",
     weighs_cropped_images},
};

}  // namespace

const AggregatorSubject::Usual& AggregatorSubject::usual() {
  if (failed_) {
    throw CheckSkipped("weights() does not work, see above");
  }
  if (!usual_) {
    need_weights(*this);
    failed_ = true;
    Usual usual;
    usual.image = seen_image(*this, kRows);
    usual.regions = taken(*this, one_region_a_kind(), usual.image, usual.refused);
    if (usual.regions.empty()) {
      throw CheckFailed("weights() refused regions of every kind: {}", fmt::join(usual.refused, ", "));
    }
    usual.weights = weigh(*this, usual.regions, usual.image);
    expect_weights(usual.weights, usual.regions.size(), usual.image);
    usual_ = std::move(usual);
    failed_ = false;
  }
  return *usual_;
}

std::span<const CheckOf<AggregatorSubject>> aggregator_checks() {
  return kChecks;
}

}  // namespace patchioner
