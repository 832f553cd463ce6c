#include "patch_lessons.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <patchioner/error.hpp>

namespace patchioner::emoji {
namespace {

constexpr double kPaintWeight = 0.3;

at::Tensor head(Parameters& parameters, const std::string& name, const at::Tensor& x, int64_t outputs) {
  const std::string full = kHeadPrefix + name;
  return at::linear(x, parameters.get(full + ".weight", {outputs, x.size(-1)}),
                    parameters.get(full + ".bias", {outputs}));
}

double share_right(const at::Tensor& logits, const at::Tensor& labels) {
  return labels.numel() == 0 ? 0 : logits.argmax(-1).eq(labels).to(at::kFloat).mean().item<double>();
}

}  // namespace

Batch lesson_batch(const World& world, const TowerInput& input, const Lesson& lesson, uint64_t first_scene) {
  const double zoom = static_cast<double>(input.side) / (lesson.grid * input.patch_size);
  BatchSpec spec{lesson.images, lesson.grid * input.patch_size, input.patch_size, input.norm, {},
                 Split::train};
  spec.scenes.most = lesson.most_things;
  spec.scenes.smallest_share = std::min(0.9, lesson.smallest * zoom);
  spec.scenes.largest_share = std::min(1.0, lesson.largest * zoom);
  spec.scenes.centred = lesson.centred;
  return make_batch(world, spec, first_scene);
}

BatchStream lesson_batches(const World& world, const TowerInput& input, const Lessons& lessons,
                           uint64_t scene_offset, int64_t first_step) {
  return BatchStream(
      [&world, &lessons, input, scene_offset](int64_t step) {
        return lesson_batch(world, input, lessons.lesson_at(step),
                            first_scene_of(lessons, scene_offset, step));
      },
      first_step);
}

PatchLoss patch_loss(Parameters& parameters, const TowerRecipe& recipe, const at::Tensor& patches,
                     const at::Tensor& global, const Batch& batch, int things) {
  const int64_t classes = things + kSurfaces;
  const at::Tensor labels = batch.patch_class.flatten();                                        // [B*G]
  const at::Tensor known = labels.ge(0).nonzero().squeeze(-1);                                  // [N]
  const at::Tensor tokens = patches.flatten(0, 1);                                              // [B*G,W]
  const at::Tensor wanted = labels.index_select(0, known);                                      // [N]
  const at::Tensor logits = head(parameters, "patch", tokens.index_select(0, known), classes);  // [N,classes]
  PatchLoss loss;
  at::Tensor weights = at::ones({classes});
  weights.slice(0, things).fill_(recipe.surface_weight);
  const at::Tensor patch_term = at::cross_entropy_loss(logits, wanted, weights);
  const at::Tensor painted_labels = batch.patch_paint.flatten();
  const at::Tensor painted = painted_labels.ge(0).nonzero().squeeze(-1);  // [P]
  const at::Tensor paint_logits = head(parameters, "paint", tokens.index_select(0, painted), kPaints);
  const at::Tensor paint_wanted = painted_labels.index_select(0, painted);
  const at::Tensor contents_logits =
      head(parameters, "contents", global, classes) - 3.0;  // [B,classes]; most things are absent
  const at::Tensor contents_term =
      at::binary_cross_entropy_with_logits(contents_logits, batch.contents).mul(static_cast<double>(classes));
  loss.total = patch_term + recipe.contents_weight * contents_term;
  if (painted.numel() > 0) {
    loss.total = loss.total + kPaintWeight * at::cross_entropy_loss(paint_logits, paint_wanted);
  }
  const at::NoGradGuard no_gradients;
  const at::Tensor of_things = wanted.lt(things);
  const at::Tensor right = logits.argmax(-1).eq(wanted).to(at::kFloat);
  const auto mean_over = [&](const at::Tensor& mask) {
    return mask.any().item<bool>() ? right.masked_select(mask).mean().item<double>() : 0;
  };
  loss.patch_loss = patch_term.item<double>();
  loss.thing_accuracy = mean_over(of_things);
  loss.surface_accuracy = mean_over(of_things.logical_not());
  loss.paint_accuracy = share_right(paint_logits, paint_wanted);
  loss.contents_loss = contents_term.item<double>();
  return loss;
}

}  // namespace patchioner::emoji
