// The image trunk: a DINOv2-with-registers network taught to say what each patch shows.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <functional>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "checkpoint/state_dict.hpp"
#include "commands.hpp"
#include "frozen.hpp"
#include "models.hpp"
#include "patch_lessons.hpp"
#include "shipping.hpp"
#include "support/files.hpp"

namespace patchioner::emoji {
namespace {

constexpr TowerInput kInput = {kTrunkSide, kTrunkPatch, kImageNetNorm};
constexpr int64_t kTestScenes = 384;
constexpr int64_t kTestBatch = 24;

using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

struct TrunkTokens {
  at::Tensor patches;  // [B,G,W] after the final norm
  at::Tensor global;   // [B,W]
};

TrunkTokens run(const VisionTransformer& trunk, const at::Tensor& pixels) {
  const at::Tensor tokens = trunk.normalise(trunk.forward(pixels).tokens_raw);  // [B,T,W]
  return {tokens.slice(1, 1 + trunk.config().registers), tokens.select(1, 0)};
}

void report(const World& world, Parameters& parameters, const VisionTransformer& trunk,
            const Settings& settings, const TowerRecipe& recipe, const std::string& name) {
  const at::NoGradGuard no_gradients;
  BatchSpec spec{kTestBatch, kTrunkSide, kTrunkPatch, kImageNetNorm, {}, Split::test};
  PatchLoss sum;
  for (int64_t i = 0; i < kTestScenes / kTestBatch; ++i) {
    const Batch batch = make_batch(world, spec, static_cast<uint64_t>(i * kTestBatch));
    const TrunkTokens tokens = run(trunk, batch.pixels);
    const PatchLoss loss =
        patch_loss(parameters, recipe, tokens.patches, tokens.global, batch, world.thing_count());
    sum.thing_accuracy += loss.thing_accuracy;
    sum.surface_accuracy += loss.surface_accuracy;
    sum.paint_accuracy += loss.paint_accuracy;
  }
  const double batches = static_cast<double>(kTestScenes) / kTestBatch;
  settings.report(
      name, fmt::format(
                "{} test scenes: patches of things named right {:.1f} % (of {} kinds), of surfaces {:.1f} %, "
                "paints {:.1f} %",
                kTestScenes, 100 * sum.thing_accuracy / batches, world.thing_count(),
                100 * sum.surface_accuracy / batches, 100 * sum.paint_accuracy / batches));
}

/// One of the two trainings of the trunk. `start` gives the first parameters, and is called once.
bool train(const World& world, const Settings& settings, const TowerRecipe& recipe, const std::string& name,
           const std::string& inputs, const std::function<void(Parameters&)>& start,
           const std::function<void(const Tensors&)>& write_trunk) {
  Parameters parameters(kWorldSeed);
  TrainingPlan plan;
  plan.name = name;
  plan.folder = settings.work;
  plan.inputs = inputs;
  plan.steps = recipe.lessons.steps();
  plan.learning_rate = recipe.learning_rate;
  plan.weight_decay = recipe.weight_decay;
  plan.columns = {"loss", "things", "surfaces", "paints", "contents"};
  const int64_t done = load_state(plan, parameters);
  if (done == 0) {
    start(parameters);
  }
  const VisionTransformer trunk(trunk_config(), VitNames::dinov2(), parameters.source());
  parameters.get("mask_token", {1, kWidth});  // official files hold one; nothing reads it
  const auto step_of = [&](const Batch& batch) {
    const TrunkTokens tokens = run(trunk, batch.pixels);
    return patch_loss(parameters, recipe, tokens.patches, tokens.global, batch, world.thing_count());
  };
  // One tiny pass, so that the heads exist before the optimiser is made.
  step_of(make_batch(world, {1, 6 * kTrunkPatch, kTrunkPatch, kImageNetNorm, {}, Split::train}, 0));
  BatchStream stream = lesson_batches(world, kInput, recipe.lessons, 0, done);
  const auto export_weights = [&] { write_trunk(parameters.without(kHeadPrefix)); };
  const bool finished = run_training(
      plan, parameters,
      [&](int64_t) {
        const PatchLoss loss = step_of(stream.next());
        return StepResult{loss.total,
                          {loss.patch_loss, loss.thing_accuracy, loss.surface_accuracy, loss.paint_accuracy,
                           loss.contents_loss}};
      },
      export_weights);
  if (finished) {
    export_weights();
    report(world, parameters, trunk, settings, recipe, name);
  }
  return finished;
}

}  // namespace

bool train_trunk(const World& world, const Settings& settings) {
  return train(
      world, settings, settings.recipe.trunk, "trunk", settings.recipe.trunk.digest, [](Parameters&) {},
      [&](const Tensors& tensors) { write_safetensors(first_trunk_path(settings), tensors); });
}

bool refine_trunk(const World& world, const Settings& settings) {
  const auto start = [&](Parameters& parameters) {
    // The state of the first training, heads included.
    TrainingPlan first;
    first.name = "trunk";
    first.folder = settings.work;
    if (load_state(first, parameters) == 0) {
      throw Error(ErrorKind::data, "there is no trunk in {}; run train-trunk first", settings.work.string());
    }
  };
  const std::string inputs =
      sha256(settings.recipe.refined_trunk.digest + sha256_of_file(first_trunk_path(settings)));
  return train(world, settings, settings.recipe.refined_trunk, "refined_trunk", inputs, start,
               [&](const Tensors& tensors) { ship(trunk_path(settings.output), tensors); });
}

}  // namespace patchioner::emoji
