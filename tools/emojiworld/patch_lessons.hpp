// Learning to say what each patch shows: the first schooling of both image towers. Single things on small
// canvases first (the position table is interpolated), then small groups, then whole scenes.
#pragma once

#include "batch.hpp"
#include "recipe.hpp"
#include "trainer.hpp"

namespace patchioner::emoji {

/// What a tower is taught with: its native canvas, its patches, its pixel statistics.
struct TowerInput {
  int side = 0;        ///< pixels
  int patch_size = 0;  ///< pixels
  PixelNorm norm;
};

/// The batch of a lesson that begins with that scene. Things have the size in pixels that they have in whole
/// scenes on the native canvas.
Batch lesson_batch(const World& world, const TowerInput& input, const Lesson& lesson, uint64_t first_scene);

/// The first scene of a step.
inline uint64_t first_scene_of(const Lessons& lessons, uint64_t offset, int64_t step) {
  return offset + static_cast<uint64_t>(step * lessons.scenes_per_step);
}

/// The batches of all steps from `first_step` on. World and lessons must outlive it.
BatchStream lesson_batches(const World& world, const TowerInput& input, const Lessons& lessons,
                           uint64_t scene_offset, int64_t first_step);

/// Heads that are thrown away after training; names begin with kHeadPrefix.
inline constexpr const char* kHeadPrefix = "lesson.";

struct PatchLoss {
  at::Tensor total;  ///< scalar
  double patch_loss = 0;
  double thing_accuracy = 0;  ///< share of the patches of things that are named right
  double surface_accuracy = 0;
  double paint_accuracy = 0;
  double contents_loss = 0;
};

/// Loss of normed tokens: `patches` [B,G,W] name their thing or surface and its paint, `global` [B,W] names
/// all that the scene holds.
PatchLoss patch_loss(Parameters& parameters, const TowerRecipe& recipe, const at::Tensor& patches,
                     const at::Tensor& global, const Batch& batch, int things);

}  // namespace patchioner::emoji
