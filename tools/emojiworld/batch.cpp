#include "batch.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace patchioner::emoji {
namespace {

constexpr double kClearlyThing = 1.0 / 3;  // share of a patch that one thing must cover to be its class
constexpr double kClearlySurface =
    0.06;  // share of a patch that things may cover while it still counts as surface
constexpr double kDownscaledShare =
    0.3;  // share of pictures drawn at the scene's size and shrunk, as real files are

/// What one patch shows: counts of its pixels by owner decide.
void label_patch(const Scene& scene, const cv::Mat& owner, int thing_count, int64_t* patch_class,
                 int64_t* patch_paint) {
  std::array<int, 256> counts{};
  for (int y = 0; y < owner.rows; ++y) {
    for (int x = 0; x < owner.cols; ++x) {
      ++counts[owner.at<uchar>(y, x)];
    }
  }
  const double pixels = owner.rows * owner.cols;
  *patch_class = -1;
  *patch_paint = -1;
  // Copies of the same thing count together.
  int best = -1;
  double best_cover = 0;
  double cover = 0;
  for (size_t i = 0; i < scene.things.size(); ++i) {
    double same = 0;
    for (size_t j = 0; j < scene.things.size(); ++j) {
      same += scene.things[j].thing == scene.things[i].thing ? counts[j + 1] : 0;
    }
    cover += counts[i + 1];
    if (same > best_cover) {
      best_cover = same;
      best = static_cast<int>(i);
    }
  }
  if (best_cover >= kClearlyThing * pixels) {
    *patch_class = scene.things[static_cast<size_t>(best)].thing;
    *patch_paint = scene.things[static_cast<size_t>(best)].paint;
  } else if (cover <= kClearlySurface * pixels) {
    const bool behind = counts[kBackdropOwner] * 2 > pixels;
    *patch_class = thing_count + static_cast<int>(behind ? *scene.backdrop : scene.surface);
  }
}

/// A box of the large picture in the small one: all pixels that it touches.
cv::Rect shrunk(const cv::Rect& box, double across, double down) {
  if (box.empty()) {
    return {};
  }
  const cv::Point first(static_cast<int>(box.x * across), static_cast<int>(box.y * down));
  const cv::Point end(static_cast<int>(std::ceil((box.x + box.width) * across)),
                      static_cast<int>(std::ceil((box.y + box.height) * down)));
  return {first, end};
}

Picture draw_squashed(const World& world, const Scene& scene, int side, Random& random) {
  if (!random.chance(kDownscaledShare)) {
    return world.renderer.draw(scene, side, side);
  }
  const double shrink = std::min(1.0, 1.6 * side / std::min(scene.width, scene.height));
  Picture large = world.renderer.draw(scene, std::max(side, static_cast<int>(scene.width * shrink)),
                                      std::max(side, static_cast<int>(scene.height * shrink)));
  const cv::Size full = large.rgb.size();
  cv::resize(large.rgb, large.rgb, {side, side}, 0, 0, cv::INTER_AREA);
  cv::resize(large.owner, large.owner, {side, side}, 0, 0, cv::INTER_NEAREST);
  for (Extent& extent : large.extents) {
    extent.box =
        shrunk(extent.box, static_cast<double>(side) / full.width, static_cast<double>(side) / full.height);
  }
  return large;
}

}  // namespace

at::Tensor to_pixels(const cv::Mat& rgb, const PixelNorm& norm) {
  at::Tensor pixels = at::empty({3, rgb.rows, rgb.cols}, at::kFloat);
  float* out = pixels.data_ptr<float>();
  const int64_t plane = static_cast<int64_t>(rgb.rows) * rgb.cols;
  for (int c = 0; c < 3; ++c) {
    const float scale = 1 / (255 * norm.std[static_cast<size_t>(c)]);
    const float shift = norm.mean[static_cast<size_t>(c)] / norm.std[static_cast<size_t>(c)];
    for (int y = 0; y < rgb.rows; ++y) {
      const auto* row = rgb.ptr<cv::Vec3b>(y);
      float* target = out + c * plane + static_cast<int64_t>(y) * rgb.cols;
      for (int x = 0; x < rgb.cols; ++x) {
        target[x] = static_cast<float>(row[x][c]) * scale - shift;
      }
    }
  }
  return pixels;
}

Batch make_batch(const World& world, const BatchSpec& spec, uint64_t first_scene) {
  const int grid = spec.side / spec.patch_size;
  const int thing_count = world.thing_count();
  Batch batch;
  batch.pixels = at::empty({spec.images, 3, spec.side, spec.side}, at::kFloat);
  batch.patch_class = at::empty({spec.images, grid * grid}, at::kLong);
  batch.patch_paint = at::empty({spec.images, grid * grid}, at::kLong);
  batch.contents = at::zeros({spec.images, thing_count + kSurfaces}, at::kFloat);
  for (int64_t i = 0; i < spec.images; ++i) {
    const uint64_t index = first_scene + static_cast<uint64_t>(i);
    Scene scene = sample_scene(kWorldSeed, spec.split, index, world.things, spec.scenes);
    Random random({kWorldSeed, index, 77});
    const Picture picture = draw_squashed(world, scene, spec.side, random);
    batch.pixels[i].copy_(to_pixels(picture.rgb, spec.norm));
    int64_t* classes = batch.patch_class[i].data_ptr<int64_t>();
    int64_t* paints = batch.patch_paint[i].data_ptr<int64_t>();
    for (int row = 0; row < grid; ++row) {
      for (int column = 0; column < grid; ++column) {
        const cv::Rect cell(column * spec.patch_size, row * spec.patch_size, spec.patch_size,
                            spec.patch_size);
        label_patch(scene, picture.owner(cell), thing_count, classes + row * grid + column,
                    paints + row * grid + column);
      }
    }
    float* contents = batch.contents[i].data_ptr<float>();
    contents[thing_count + static_cast<int>(scene.surface)] = 1;
    if (scene.backdrop) {
      contents[thing_count + static_cast<int>(*scene.backdrop)] = 1;
    }
    for (const Placed& placed : scene.things) {
      contents[placed.thing] = 1;
    }
    batch.scenes.push_back(std::move(scene));
    batch.extents.push_back(picture.extents);
  }
  return batch;
}

}  // namespace patchioner::emoji
