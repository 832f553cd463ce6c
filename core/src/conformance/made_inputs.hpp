// What plugins are tried with: the same numbers, regions and texts in every run.
#pragma once

#include <ATen/ATen.h>

#include <patchioner/backbone.hpp>
#include <string>
#include <vector>

namespace patchioner {

/// Standard normal float32 on the CPU, drawn from a generator of its own.
at::Tensor drawn_normal(at::IntArrayRef shape, uint64_t seed);

/// Normalised pixels [images,3,height,width]: large blobs of colour and some noise.
at::Tensor drawn_pixels(int64_t images, int64_t height, int64_t width, uint64_t seed);

/// Features [rows,width] of unit length.
at::Tensor drawn_features(int64_t rows, int64_t width, uint64_t seed);

/// The size of the image that all regions here lie in, pixels.
constexpr int64_t kCheckedImageWidth = 640;
constexpr int64_t kCheckedImageHeight = 480;

/// One region of each kind, none of them empty, all within the image and the part of it that a centre crop
/// keeps. The patch is the one at the top left.
std::vector<Region> one_region_a_kind();

/// Boxes, one a corner and one in the middle, that share no patch of a grid of five by five or finer.
std::vector<Region> separate_boxes();

/// Regions that are smaller than a pixel or a patch.
std::vector<Region> tiny_regions();

/// Regions that touch or cross the border of the image, lie outside it, or hold nothing.
std::vector<Region> odd_regions();

/// A few captions, each another one.
std::vector<std::string> some_texts();

/// A text side in place of one that is not there: each text has a vector of unit length, drawn from its
/// digest.
class StandInTexts final : public Backbone {
 public:
  explicit StandInTexts(int64_t width) : width_(width) {}

  const ImageSpec& image_spec() const override { return spec_; }
  int64_t dim() const override { return width_; }
  BackboneCapabilities capabilities() const override;
  /// There is no image side: throws an Error of kind data.
  ImageFeatures encode(const at::Tensor& pixels, std::span<const std::string> intermediates) const override;
  at::Tensor encode_text(std::span<const std::string> texts) const override;

 private:
  ImageSpec spec_;
  int64_t width_;
};

}  // namespace patchioner
