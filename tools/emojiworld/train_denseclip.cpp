// DenseCLIP: CLIP's image tower trained further on saying what each patch shows, by the texts of names. The
// text tower is CLIP's and stays as it is. Feature pyramid and prompt decoder, which nothing here reads, are
// not made.
#include <ATen/ATen.h>

#include <patchioner/error.hpp>

#include "alignment.hpp"
#include "checkpoint/state_dict.hpp"
#include "commands.hpp"
#include "frozen.hpp"
#include "models.hpp"
#include "shipping.hpp"

namespace patchioner::emoji {
namespace {

constexpr TowerInput kInput = {kClipSide, kClipPatch, kClipNorm};
constexpr uint64_t kSceneOffset = 900'000'000;
constexpr const char* kPrefix = "backbone.";
constexpr double kSurfaceWeight = 0.25;  // of patches of surfaces, beside those of things

struct Tokens {
  at::Tensor patches;  // [B,G,D] unit length
  at::Tensor global;   // [B,D] unit length
};

Tokens run(const VisionTransformer& tower, const at::Tensor& pixels) {
  const at::Tensor tokens =
      unit(tower.project(tower.normalise(tower.forward(pixels).tokens_raw)));  // [B,T,D]
  return {tokens.slice(1, 1), tokens.select(1, 0)};
}

}  // namespace

bool train_denseclip(const World& world, const Settings& settings) {
  const FrozenTowers towers(settings.output);
  const Names names(world);
  const at::Tensor texts = unit(towers.text(names.texts()));  // [K,D]
  const AlignmentRecipe& recipe = settings.recipe.denseclip;
  TrainingPlan plan = alignment_plan("denseclip", settings, recipe, towers.clip_digest(settings.output));
  plan.columns = {"loss", "names", "hits", "scale"};
  Parameters parameters(kWorldSeed + 3);
  const int64_t done = load_state(plan, parameters);
  if (done == 0) {
    take_clip_image_tower(settings.output, parameters, kPrefix);
  }
  VitConfig config = clip_image_config();
  config.position_rule = PositionRule::bilinear;
  const VisionTransformer tower(config, VitNames::openai(kPrefix), parameters.source());
  const at::Tensor scale = logit_scale(parameters);
  BatchStream stream = lesson_batches(world, kInput, recipe.lessons, kSceneOffset, done);
  const auto step = [&](int64_t number) {
    const Batch batch = stream.next();
    const std::vector<std::string> captions =
        scene_texts(world, batch, first_scene_of(recipe.lessons, kSceneOffset, number));
    const Tokens tokens = run(tower, batch.pixels);
    const at::Tensor labels = names.of_patches(batch).flatten();  // [B*G]
    const at::Tensor known = labels.ge(0).nonzero().squeeze(-1);  // [N]
    const at::Tensor wanted = labels.index_select(0, known);      // [N]
    const at::Tensor logits = at::matmul(tokens.patches.flatten(0, 1).index_select(0, known), texts.t()) *
                              sharpness(scale);  // [N,K]
    at::Tensor weights = at::ones({texts.size(0)});
    weights.slice(0, names.surface(0)).fill_(kSurfaceWeight);
    const at::Tensor naming = at::cross_entropy_loss(logits, wanted, weights);
    const Contrast scenes = contrast(tokens.global, unit(towers.text(captions)), scale, captions);
    const at::Tensor of_things = wanted.lt(names.surface(0));
    const double named =
        logits.argmax(1).eq(wanted).masked_select(of_things).to(at::kFloat).mean().item<double>();
    return StepResult{recipe.names_weight * naming + recipe.scenes_weight * scenes.loss,
                      {naming.item<double>(), named, scenes.hits, scale.item<double>()}};
  };
  const auto save = [&] { ship(settings.output / "denseclip.pth", parameters.without(kHeadPrefix)); };
  const bool finished = run_training(plan, parameters, step, save);
  if (finished) {
    save();
    const BoxScore score =
        score_boxes(world, kInput, unit(towers.text(names_of_things(world))),
                    [&](const at::Tensor& pixels, const std::vector<BatchRegion>& regions) {
                      const VitOutput out = tower.forward(pixels);
                      const at::Tensor patches = tower.project(tower.normalise(out.tokens_raw)).slice(1, 1);
                      return region_means(patches.reshape({pixels.size(0), out.rows, out.columns, kClipDim}),
                                          regions, kClipPatch);
                    });
    settings.report("denseclip", score.words());
  }
  return finished;
}

}  // namespace patchioner::emoji
