// What a picture or a page shows of one captioned image. Filled by whoever has results; nothing here computes
// them.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <patchioner/decoder.hpp>
#include <patchioner/gap.hpp>
#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>
#include <string>
#include <vector>

namespace patchioner {

/// One piece of a caption and how sure the decoder was of it.
struct ShownToken {
  std::string text;
  double log_probability = 0;  ///< natural logarithm
};

/// One metric's value of a caption.
struct ShownMeasure {
  std::string name;
  double value = 0;
};

/// What was said about a region, and why. Lists may be empty.
struct ShownAnswer {
  std::string from;  ///< whose answer it is, where there are several; may be empty
  std::string caption;
  std::optional<double> score;
  std::vector<AlternativeCaption> alternatives;
  std::vector<MemoryMatch> memory;  ///< largest weight first
  std::string prompt;               ///< words that the decoder was made to read
  std::vector<Evidence> evidence;   ///< what it looked up
  std::vector<ShownToken> tokens;
  std::vector<std::string> references;  ///< what people said
  std::vector<ShownMeasure> measures;   ///< what the caption is worth
  std::vector<std::string> warnings;
  std::string error;  ///< when not empty there is no caption
};

/// One region with what was said about it.
struct ShownRegion {
  Region region;
  at::Tensor weights;                ///< [rows,columns] of the grid, or undefined
  std::vector<ShownAnswer> answers;  ///< one, or one of each run that is compared
};

/// One image with its regions. `pixels` is undefined when the image could not be read; `error` then says why.
struct ShownImage {
  std::string title;
  at::Tensor pixels;  ///< [H,W,3] uint8, RGB
  ImageGeometry
      geometry;  ///< how the patch grid lies on the image; needed where regions have weights or are patches
  std::vector<ShownRegion> regions;
  std::string error;
};

/// What a region is, in a few words: "box 10,20 30×40", "trace of 12 points", "patch 3,4".
std::string describe(const RegionShape& shape);

/// A score as people want to read it: three significant digits.
std::string format_score(double score);

}  // namespace patchioner
