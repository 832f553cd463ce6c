// Plugin objects whose results can be worked out by hand: a backbone that sees the mean colour of each cell,
// an aggregator that takes one patch or all of them, a decoder that says the numbers that it was given.
#pragma once

#include <patchioner/plugin.hpp>

#include "runtime/captioner.hpp"

namespace patchioner::fake {

/// A grid of 2x2 cells of 4x4 pixels; D = 3: red, green, blue in [0,1].
struct ColourBackbone : Backbone {
  ImageSpec spec{.resize_dim = 8, .crop_dim = 8, .patch_size = 4, .mean = {0, 0, 0}, .std = {1, 1, 1}};
  BackboneCapabilities can{.global = true, .attention = false, .text = false, .regions = false};
  std::string fingerprint;
  bool loses_a_row = false;
  mutable std::vector<int64_t> batches;       ///< sizes of the batches seen
  mutable std::vector<int64_t> region_calls;  ///< how many regions each call of encode_regions had

  const ImageSpec& image_spec() const override { return spec; }
  int64_t dim() const override { return 3; }
  BackboneCapabilities capabilities() const override { return can; }
  std::string text_fingerprint() const override { return fingerprint; }
  ImageFeatures encode(const at::Tensor& pixels, std::span<const std::string>) const override {
    batches.push_back(pixels.size(0));
    ImageFeatures features;
    features.patches = pixels.unfold(2, 4, 4).unfold(3, 4, 4).mean({4, 5}).permute({0, 2, 3, 1}).contiguous();
    features.global = pixels.mean({2, 3});
    return features;
  }
  at::Tensor encode_text(std::span<const std::string>) const override { return {}; }
  /// The mean colour of the image, times one more for each region. A trace is refused; a set of no boxes is
  /// warned about.
  RegionFeatures encode_regions(const at::Tensor& pixels, std::span<const Region> regions,
                                const ImageGeometry&) const override {
    region_calls.push_back(static_cast<int64_t>(regions.size()));
    RegionFeatures result;
    const at::Tensor factors = at::arange(1, static_cast<int64_t>(regions.size()) + 1, at::kFloat);
    result.features = factors.unsqueeze(1) * pixels.mean({2, 3});  // [R,3]
    if (loses_a_row) {
      result.features = result.features.slice(0, 1);
    }
    for (size_t i = 0; i < regions.size(); ++i) {
      if (std::holds_alternative<Trace>(regions[i].shape)) {
        throw Error(ErrorKind::data, "traces are not for me");
      }
      if (const auto* set = std::get_if<BoxSet>(&regions[i].shape); set != nullptr && set->boxes.empty()) {
        result.warnings.push_back({i, "the set is empty"});
      }
    }
    return result;
  }
};

/// One patch for a Patch, all of them otherwise. A trace is refused; a set of no boxes is warned about.
struct OneOrAll : Aggregator {
  FeatureSource from = FeatureSource::patches;
  bool attention = false;
  double factor = 1;

  FeatureSource source() const override { return from; }
  bool needs_attention() const override { return attention; }
  RegionWeights weights(std::span<const Region> regions, const ImageGeometry& geometry,
                        const PatchFeatures&) const override {
    RegionWeights result;
    result.weights = at::zeros({static_cast<int64_t>(regions.size()), geometry.patches()});
    result.scale = at::full({static_cast<int64_t>(regions.size())}, factor);
    for (size_t i = 0; i < regions.size(); ++i) {
      at::Tensor row = result.weights[static_cast<int64_t>(i)];
      if (const auto* patch = std::get_if<Patch>(&regions[i].shape)) {
        row[patch->row * geometry.columns + patch->column] = 1;
      } else if (std::holds_alternative<Trace>(regions[i].shape)) {
        throw Error(ErrorKind::data, "traces are not for me");
      } else {
        row.fill_(1.0 / static_cast<double>(geometry.patches()));
        if (const auto* set = std::get_if<BoxSet>(&regions[i].shape); set != nullptr && set->boxes.empty()) {
          result.warnings.push_back({i, "the set is empty"});
        }
      }
    }
    return result;
  }
};

/// x -> x * factor + term, so that the order in a chain shows.
struct Affine : Gap {
  double factor = 1;
  double term = 0;
  int64_t width = 0;
  std::string fingerprint;
  bool remembers = false;

  Affine(double by, double plus) : factor(by), term(plus) {}
  int64_t dim() const override { return width; }
  at::Tensor to_text_space(const at::Tensor& features) const override { return features * factor + term; }
  std::string text_fingerprint() const override { return fingerprint; }
  std::vector<std::vector<MemoryMatch>> nearest(const at::Tensor& features, int64_t count) const override {
    if (!remembers) {
      return {};
    }
    return std::vector<std::vector<MemoryMatch>>(
        static_cast<size_t>(features.size(0)),
        std::vector<MemoryMatch>(static_cast<size_t>(count), {"a memory", 0.5, 0.25}));
  }
};

/// "r,g,b" in whole percent.
struct Teller : Decoder {
  int64_t width = 3;
  std::string fingerprint;
  mutable std::vector<int64_t> batches;

  int64_t dim() const override { return width; }
  std::string text_fingerprint() const override { return fingerprint; }
  std::vector<Caption> decode(const DecodeInput& input) const override {
    batches.push_back(input.features.size(0));
    std::vector<Caption> captions;
    for (int64_t row = 0; row < input.features.size(0); ++row) {
      const at::Tensor percent = (input.features[row] * 100).round().to(at::kLong);
      Caption caption;
      caption.text = fmt::format("{},{},{}", percent[0].item<int64_t>(), percent[1].item<int64_t>(),
                                 percent[2].item<int64_t>());
      if (input.explain) {
        caption.tokens = {caption.text};
        caption.log_probabilities = {-0.5};
      }
      captions.push_back(std::move(caption));
    }
    return captions;
  }
};

struct Parts {
  std::shared_ptr<ColourBackbone> backbone = std::make_shared<ColourBackbone>();
  std::shared_ptr<OneOrAll> aggregator = std::make_shared<OneOrAll>();
  std::vector<std::shared_ptr<Affine>> gaps = {std::make_shared<Affine>(1, 0)};
  std::shared_ptr<Teller> decoder = std::make_shared<Teller>();

  Captioner captioner(int64_t batch = 8) const {
    return Captioner(CaptionerParts{backbone, aggregator, {gaps.begin(), gaps.end()}, decoder}, batch);
  }
};

/// 8x8 pixels: red, green, blue and white quarters, clockwise from the top left.
inline Image quarters() {
  at::Tensor pixels = at::zeros({8, 8, 3}, at::kByte);
  const auto quarter = [&](int64_t row, int64_t column, std::vector<int64_t> colour) {
    pixels.slice(0, row * 4, row * 4 + 4).slice(1, column * 4, column * 4 + 4) =
        at::tensor(colour, at::kByte);
  };
  quarter(0, 0, {255, 0, 0});
  quarter(0, 1, {0, 255, 0});
  quarter(1, 1, {0, 0, 255});
  quarter(1, 0, {255, 255, 255});
  return {pixels, "quarters.png"};
}

inline Image plain(int64_t red, int64_t width = 8, int64_t height = 8) {
  at::Tensor pixels = at::zeros({height, width, 3}, at::kByte);
  pixels.select(2, 0).fill_(red);
  return {pixels, "plain.png"};
}

inline CaptionTask task(Image image, std::vector<RegionShape> shapes) {
  CaptionTask result;
  result.image = std::move(image);
  for (RegionShape& shape : shapes) {
    result.regions.push_back({std::move(shape), ""});
  }
  return result;
}

}  // namespace patchioner::fake
