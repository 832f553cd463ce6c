// The pictures of the things: colour bitmaps of an emoji font, cut to their ink, in several sizes and paints.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <opencv2/core.hpp>
#include <vector>

#include "objects.hpp"

namespace patchioner::emoji {

/// One glyph in halving sizes. RGBA, 8 bit, colours multiplied by alpha.
using GlyphSizes = std::vector<cv::Mat>;

class GlyphSet {
 public:
  /// Loads the bitmaps of all things. Throws an Error of kind io for a font that cannot be read, data for a
  /// missing glyph.
  GlyphSet(const std::filesystem::path& font, const std::vector<Thing>& things);

  /// The glyph of a thing, painted (an index of paint()) or as the font has it (-1). Made once, then kept.
  /// [any-thread]
  const GlyphSizes& get(int thing, int paint) const;

 private:
  std::vector<cv::Mat> originals_;  // RGBA, colours not multiplied
  mutable std::vector<std::unique_ptr<GlyphSizes>> made_;
  mutable std::mutex mutex_;
};

/// Turns the main hue of an RGBA bitmap (not multiplied by alpha) to that of a paint; other hues stay.
cv::Mat repaint(const cv::Mat& rgba, const Paint& paint);

}  // namespace patchioner::emoji
