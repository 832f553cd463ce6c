#include "conformance/made_inputs.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include <patchioner/error.hpp>

#include "support/files.hpp"

namespace patchioner {
namespace {

constexpr double kWidth = kCheckedImageWidth;
constexpr double kHeight = kCheckedImageHeight;

std::vector<Region> named(std::vector<std::pair<const char*, RegionShape>> shapes) {
  std::vector<Region> regions;
  for (auto& [name, shape] : shapes) {
    regions.push_back({std::move(shape), name});
  }
  return regions;
}

/// A mask of the image with a rectangle set.
Mask rectangle(int64_t x, int64_t y, int64_t width, int64_t height) {
  at::Tensor pixels = at::zeros({kCheckedImageHeight, kCheckedImageWidth}, at::kBool);
  pixels.slice(0, y, y + height).slice(1, x, x + width).fill_(true);
  return {pixels};
}

}  // namespace

at::Tensor drawn_normal(at::IntArrayRef shape, uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat));
}

at::Tensor drawn_pixels(int64_t images, int64_t height, int64_t width, uint64_t seed) {
  constexpr int64_t kBlobs = 4;  // a side
  constexpr double kNoise = 0.2;
  const at::Tensor blobs = drawn_normal({images, 3, kBlobs, kBlobs}, seed);
  return at::upsample_bilinear2d(blobs, {height, width}, /*align_corners=*/false) +
         kNoise * drawn_normal({images, 3, height, width}, seed + 1);
}

at::Tensor drawn_features(int64_t rows, int64_t width, uint64_t seed) {
  const at::Tensor numbers = drawn_normal({rows, width}, seed);
  return numbers / numbers.norm(2, -1, true);
}

std::vector<Region> one_region_a_kind() {
  return named({{"the whole image", WholeImage{}},
                {"a box", Box{200, 120, 180, 90.5}},
                {"a set of boxes", BoxSet{{{120, 60, 80, 80}, {300, 260, 150, 120}}}},
                {"a trace", Trace{{{0.3, 0.2}, {0.4, 0.45}, {0.55, 0.6}, {0.56, 0.61}}}},
                {"a mask", Mask{rectangle(250, 200, 130, 100)}},
                {"a patch", Patch{0, 0}},
                {"a point", ImagePoint{320, 240}}});
}

std::vector<Region> separate_boxes() {
  return named({{"top left", Box{0, 0, 100, 80}},
                {"top right", Box{540, 0, 100, 80}},
                {"middle", Box{270, 200, 100, 80}},
                {"bottom left", Box{0, 400, 100, 80}},
                {"bottom right", Box{540, 400, 100, 80}}});
}

std::vector<Region> tiny_regions() {
  return named({{"a box of a fifth of a pixel", Box{321.3, 240.4, 0.2, 0.2}},
                {"a box without area", Box{100, 100, 0, 50}},
                {"a set of one box of a pixel", BoxSet{{{400, 300, 1, 1}}}},
                {"a trace of one point", Trace{{{0.5, 0.5}}}},
                {"a mask of one pixel", Mask{rectangle(333, 222, 1, 1)}}});
}

std::vector<Region> odd_regions() {
  return named({{"a box that is the image", Box{0, 0, kWidth, kHeight}},
                {"a box across the left border", Box{-60, 100, 130, 90}},
                {"a box across the bottom right corner", Box{kWidth - 30, kHeight - 20, 300, 200}},
                {"a box outside", Box{kWidth + 100, kHeight + 100, 50, 50}},
                {"a box of no width on the right border", Box{kWidth, 10, 0, 20}},
                {"a set of a box inside and one outside", BoxSet{{{200, 150, 90, 90}, {-500, -500, 20, 20}}}},
                {"a set without boxes", BoxSet{}},
                {"a trace that leaves the image", Trace{{{0.9, 0.5}, {1.2, 0.6}, {-0.1, 0.7}}}},
                {"a trace outside", Trace{{{1.5, 1.5}}}},
                {"a trace without points", Trace{}},
                {"a point on the far corner", ImagePoint{kWidth, kHeight}},
                {"a point outside", ImagePoint{-40, kHeight * 2}},
                {"a mask of nothing", Mask{rectangle(0, 0, 0, 0)}}});
}

std::vector<std::string> some_texts() {
  return {"a dog on a beach", "two cats sleep on a red sofa", "a bus", "the sky at night over a city"};
}

BackboneCapabilities StandInTexts::capabilities() const {
  BackboneCapabilities can;
  can.global = can.attention = false;
  return can;
}

ImageFeatures StandInTexts::encode(const at::Tensor&, std::span<const std::string>) const {
  throw Error(ErrorKind::data, "this stand-in encodes texts alone");
}

at::Tensor StandInTexts::encode_text(std::span<const std::string> texts) const {
  std::vector<at::Tensor> rows{at::empty({0, width_}, at::kFloat)};
  constexpr size_t kDigits = 15;  // of 64 bits
  for (const std::string& text : texts) {
    rows.push_back(drawn_features(1, width_, std::stoull(sha256(text).substr(0, kDigits), nullptr, 16)));
  }
  return at::cat(rows);  // [N,D]
}

}  // namespace patchioner
