// A batch of images of which some may fail: one cannot take the others with it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/captioner.hpp"

namespace patchioner {

/// Of one image. Either `error` is empty or there are no regions.
struct ImageResult {
  std::vector<RegionResult> regions;
  std::string error;
};

/// What an exception says, without LibTorch's backtrace.
std::string sentence_of(const std::exception& error);

/// Captions prepared images. When a batch fails as a whole, each image is tried alone, with a warning.
/// [any-thread]
std::vector<ImageResult> caption_images(const Captioner& captioner, std::span<const CaptionTask> tasks,
                                        const CaptionOptions& options);

}  // namespace patchioner
