// Draws scenes.
#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "glyphs.hpp"
#include "scene.hpp"
#include "textures.hpp"

namespace patchioner::emoji {

/// Marks of Picture::owner; 1, 2 ... are the things of the scene in order.
inline constexpr uint8_t kSurfaceOwner = 0;
inline constexpr uint8_t kBackdropOwner = 255;

/// Where a thing is in a picture.
struct Extent {
  cv::Rect box;        ///< around its ink inside the picture, pixels; empty when it is outside
  double visible = 0;  ///< share of its ink that nothing covers and that lies inside the picture
};

struct Picture {
  cv::Mat rgb;                  ///< [H,W] 3 x 8 bit
  cv::Mat owner;                ///< [H,W] 8 bit: whose pixel it is
  std::vector<Extent> extents;  ///< a thing each
};

class Renderer {
 public:
  Renderer(const GlyphSet& glyphs, const TextureSet& textures) : glyphs_(glyphs), textures_(textures) {}

  /// The scene as a picture of that size; another ratio than the scene's squashes it, as an encoder's
  /// preprocessing does. [any-thread]
  Picture draw(const Scene& scene, int width, int height) const;

 private:
  const GlyphSet& glyphs_;
  const TextureSet& textures_;
};

}  // namespace patchioner::emoji
