// Procedural pictures of the surfaces and backdrops, drawn once at start.
#pragma once

#include <array>
#include <opencv2/core.hpp>
#include <vector>

#include "objects.hpp"

namespace patchioner::emoji {

inline constexpr int kTextureSide = 384;  ///< pixels
inline constexpr int kTextureVariants = 3;

class TextureSet {
 public:
  explicit TextureSet(uint64_t seed);
  /// RGB, 8 bit, kTextureSide x kTextureSide.
  const cv::Mat& get(Surface surface, int variant) const {
    return textures_[static_cast<size_t>(surface)][static_cast<size_t>(variant)];
  }

 private:
  std::array<std::array<cv::Mat, kTextureVariants>, kSurfaces> textures_;
};

}  // namespace patchioner::emoji
