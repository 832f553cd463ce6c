// DINO: a small network without registers for ProxyCLIP to look through, on patches as small as CLIP's. It
// begins as the first blocks of the trunk and learns on to say what each patch shows.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <patchioner/error.hpp>

#include "checkpoint/state_dict.hpp"
#include "commands.hpp"
#include "frozen.hpp"
#include "models.hpp"
#include "patch_lessons.hpp"
#include "shipping.hpp"
#include "support/files.hpp"

namespace patchioner::emoji {
namespace {

constexpr TowerInput kInput = {kClipSide, kClipPatch, kImageNetNorm};
constexpr uint64_t kSceneOffset = 1'700'000'000;
constexpr int64_t kTestScenes = 240;
constexpr int64_t kTestBatch = 24;

/// The first blocks of the trunk: LayerScale folded into the projections, patches and positions resampled.
void start_from_trunk(const StateDict& trunk, Parameters& parameters) {
  const VitConfig config = dino_config();
  const auto get = [&](const std::string& name) { return trunk.tensor(name).to(at::kFloat); };
  for (const char* name : {"cls_token", "patch_embed.proj.bias", "norm.weight", "norm.bias"}) {
    parameters.set(name, get(name));
  }
  const double area = static_cast<double>(kTrunkPatch * kTrunkPatch) / (kClipPatch * kClipPatch);
  parameters.set(
      "patch_embed.proj.weight",
      at::_upsample_bicubic2d_aa(get("patch_embed.proj.weight"), {kClipPatch, kClipPatch}, false) * area);
  constexpr int64_t kGrid = kClipSide / kClipPatch;
  parameters.set(
      "pos_embed",
      resample_positions(get("pos_embed").squeeze(0), kGrid, kGrid, PositionRule::bicubic_aa).unsqueeze(0));
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string block = fmt::format("blocks.{}.", layer);
    for (const std::string kind : {"weight", "bias"}) {
      for (const std::string part : {"norm1.", "norm2.", "attn.qkv.", "mlp.fc1."}) {
        parameters.set(block + part + kind, get(block + part + kind));
      }
    }
    const auto fold = [&](const std::string& name, const std::string& scale) {
      const at::Tensor gamma = get(block + scale);
      parameters.set(block + name + ".weight", get(block + name + ".weight") * gamma.unsqueeze(1));
      parameters.set(block + name + ".bias", get(block + name + ".bias") * gamma);
    };
    fold("attn.proj", "ls1.gamma");
    fold("mlp.fc2", "ls2.gamma");
  }
}

}  // namespace

bool train_dino(const World& world, const Settings& settings) {
  const TowerRecipe& recipe = settings.recipe.dino;
  TrainingPlan plan;
  plan.name = "dino";
  plan.folder = settings.work;
  plan.inputs = sha256(recipe.digest + sha256_of_file(trunk_path(settings.output)));
  plan.steps = recipe.lessons.steps();
  plan.learning_rate = recipe.learning_rate;
  plan.weight_decay = recipe.weight_decay;
  plan.warmup = 30;
  plan.save_every = 50;
  plan.columns = {"loss", "things", "surfaces", "paints"};
  Parameters parameters(kWorldSeed + 7);
  const int64_t done = load_state(plan, parameters);
  if (done == 0) {
    start_from_trunk(StateDict::open(trunk_path(settings.output)), parameters);
  }
  const VisionTransformer tower(dino_config(), VitNames::dinov2(), parameters.source());
  const auto loss_of = [&](const Batch& batch) {
    const at::Tensor tokens = tower.normalise(tower.forward(batch.pixels).tokens_raw);  // [B,T,W]
    return patch_loss(parameters, recipe, tokens.slice(1, 1), tokens.select(1, 0), batch,
                      world.thing_count());
  };
  // One tiny pass, so that the heads exist before the optimiser is made.
  loss_of(make_batch(world, {1, 6 * kClipPatch, kClipPatch, kImageNetNorm, {}, Split::train}, 0));
  BatchStream stream = lesson_batches(world, kInput, recipe.lessons, kSceneOffset, done);
  const auto save = [&] { ship(settings.output / "dino.pth", parameters.without(kHeadPrefix)); };
  const bool finished = run_training(
      plan, parameters,
      [&](int64_t) {
        const PatchLoss loss = loss_of(stream.next());
        return StepResult{loss.total,
                          {loss.patch_loss, loss.thing_accuracy, loss.surface_accuracy, loss.paint_accuracy}};
      },
      save);
  if (finished) {
    save();
    const at::NoGradGuard no_gradients;
    double right = 0;
    for (int64_t i = 0; i < kTestScenes; i += kTestBatch) {
      right += loss_of(make_batch(world, {kTestBatch, kClipSide, kClipPatch, kImageNetNorm, {}, Split::test},
                                  static_cast<uint64_t>(i)))
                   .thing_accuracy;
    }
    settings.report("dino",
                    fmt::format("{} test scenes: patches of things named right {:.1f} % (of {} kinds)",
                                kTestScenes, 100 * right * kTestBatch / kTestScenes, world.thing_count()));
  }
  return finished;
}

}  // namespace patchioner::emoji
