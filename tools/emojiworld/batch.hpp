// Scenes as training batches: normalised pixels with what each patch shows. A batch depends on its number
// alone, so that a training that was cut off goes on with the very batches that it would have had.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <future>
#include <vector>

#include "image/pixel_norm.hpp"
#include "world.hpp"

namespace patchioner::emoji {

/// One kind of batch: how large, of which scenes.
struct BatchSpec {
  int64_t images = 0;
  int side = 0;        ///< pixels of the square canvas
  int patch_size = 0;  ///< pixels
  PixelNorm norm = kImageNetNorm;
  SceneOptions scenes;
  Split split = Split::train;
};

struct Batch {
  at::Tensor pixels;       ///< [B,3,S,S] float32, normalised
  at::Tensor patch_class;  ///< [B,G] int64: the thing that covers most of the patch, or things + surface; -1
                           ///< where it is unclear
  at::Tensor patch_paint;  ///< [B,G] int64: the paint of that thing, or -1
  at::Tensor contents;     ///< [B,C] float32: 1 for every thing and surface of the scene
  std::vector<Scene> scenes;
  std::vector<std::vector<Extent>> extents;  ///< where the things of each scene are, pixels of the canvas
};

/// Renders scenes first..first+images-1.
Batch make_batch(const World& world, const BatchSpec& spec, uint64_t first_scene);

/// [3,S,S] float32 of an RGB picture.
at::Tensor to_pixels(const cv::Mat& rgb, const PixelNorm& norm);

/// Makes batches in order on a thread of its own, one ahead.
class BatchStream {
 public:
  /// `make` gives the batch of a step.
  BatchStream(std::function<Batch(int64_t)> make, int64_t first_step)
      : make_(std::move(make)), step_(first_step) {
    start();
  }

  Batch next() {
    Batch batch = pending_.get();
    ++step_;
    start();
    return batch;
  }

 private:
  void start() {
    pending_ = std::async(std::launch::async, [this, step = step_] { return make_(step); });
  }
  std::function<Batch(int64_t)> make_;
  int64_t step_;
  std::future<Batch> pending_;
};

}  // namespace patchioner::emoji
