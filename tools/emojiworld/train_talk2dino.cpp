// The Talk2DINO projection: CLIP's text features into the space of the trunk's patches, by the method's own
// objective. Both networks are frozen, so their features are computed once.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "checkpoint/state_dict.hpp"
#include "commands.hpp"
#include "frozen.hpp"
#include "patch_lessons.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/progress.hpp"
#include "trainer.hpp"

namespace patchioner::emoji {
namespace {

constexpr TowerInput kInput = {kTrunkSide, kTrunkPatch, kImageNetNorm};
constexpr uint64_t kFirstScene = 700'000'000;
constexpr uint64_t kTextStride =
    100'000'000;  // between the numbers that the texts of one scene are drawn from
constexpr int64_t kBatchesPerFile = 16;
constexpr int64_t kTextsPerScene = 3;

struct Features {
  at::Tensor heads;  // [N,H,W] attention-weighted patches of each head
  at::Tensor texts;  // [N*kTextsPerScene,D] CLIP text features
};

/// The features of one batch of scenes.
Features features_of(const World& world, const FrozenTowers& towers, const Lesson& lesson,
                     uint64_t first_scene) {
  const Batch batch = lesson_batch(world, kInput, lesson, first_scene);
  std::vector<std::string> sentences;
  for (size_t i = 0; i < batch.scenes.size(); ++i) {
    for (int64_t t = 0; t < kTextsPerScene; ++t) {
      const uint64_t number = first_scene + i + static_cast<uint64_t>(t) * kTextStride;
      sentences.push_back(scene_text(world, batch.scenes[i], number));
    }
  }
  return {towers.head_features(batch.pixels), towers.text(sentences)};
}

/// The features of all lessons. They are kept in files of a few batches, since making them takes most of the
/// time.
Features collect(const World& world, const Settings& settings, const FrozenTowers& towers) {
  const ProjectionRecipe& recipe = settings.recipe.talk2dino;
  const std::filesystem::path folder = settings.work / "talk2dino_features";
  std::filesystem::create_directories(folder);
  const std::string digest = sha256(towers.digest() + recipe.digest);
  std::vector<at::Tensor> heads;
  std::vector<at::Tensor> texts;
  const int64_t batches = recipe.lessons.steps();
  Progress progress("talk2dino features", "batches", static_cast<uint64_t>(batches));
  for (int64_t first = 0; first < batches; first += kBatchesPerFile) {
    const std::filesystem::path path = folder / fmt::format("{:05}.safetensors", first);
    if (std::filesystem::exists(path)) {
      const StateDict kept = StateDict::open(path);
      if (kept.metadata().at("made_with") == digest) {
        heads.push_back(kept.tensor("heads"));
        texts.push_back(kept.tensor("texts"));
        progress.start_at(static_cast<uint64_t>(std::min(batches, first + kBatchesPerFile)));
        continue;
      }
    }
    std::vector<at::Tensor> some_heads;
    std::vector<at::Tensor> some_texts;
    for (int64_t step = first; step < std::min(batches, first + kBatchesPerFile); ++step) {
      const Features some = features_of(world, towers, recipe.lessons.lesson_at(step),
                                        first_scene_of(recipe.lessons, kFirstScene, step));
      some_heads.push_back(some.heads);
      some_texts.push_back(some.texts);
      progress.advance();
      if (interrupted()) {
        return {};
      }
    }
    heads.push_back(at::cat(some_heads));
    texts.push_back(at::cat(some_texts));
    write_safetensors(path, {{"heads", heads.back()}, {"texts", texts.back()}}, {{"made_with", digest}});
  }
  progress.finish();
  return {at::cat(heads), at::cat(texts)};
}

}  // namespace

bool train_talk2dino(const World& world, const Settings& settings) {
  const FrozenTowers towers(settings.output);
  const Features features = collect(world, settings, towers);
  if (!features.heads.defined()) {
    return false;
  }
  Parameters parameters(kWorldSeed + 2);
  const int64_t width = features.heads.size(2);
  const int64_t dim = features.texts.size(1);
  // As PyTorch starts Linear layers: the spread is that of 1 / sqrt(inputs).
  const auto start = [&](const std::string& name, int64_t inputs) {
    const at::Tensor value = parameters.get(name, {width, inputs});
    const at::NoGradGuard no_gradients;
    value.mul_(1 / (0.02 * std::sqrt(static_cast<double>(inputs))));
  };
  start("linear_layer.weight", dim);
  parameters.get("linear_layer.bias", {width});
  start("hidden_layers.0.weight", width);
  parameters.get("hidden_layers.0.bias", {width});
  const ProjectionRecipe& recipe = settings.recipe.talk2dino;
  TrainingPlan plan;
  plan.name = "talk2dino";
  plan.folder = settings.work;
  plan.inputs = sha256(towers.digest() + recipe.digest);
  plan.steps = recipe.steps;
  plan.learning_rate = recipe.learning_rate;
  plan.weight_decay = recipe.weight_decay;
  plan.save_every = 1000;
  plan.columns = {"loss", "hits"};
  const auto step = [&](int64_t number) {
    Random random({kWorldSeed, static_cast<uint64_t>(number), 503});
    std::vector<int64_t> scenes;
    std::vector<int64_t> texts;
    for (int64_t i = 0; i < recipe.images; ++i) {
      scenes.push_back(random.below(features.heads.size(0)));
      texts.push_back(scenes.back() * kTextsPerScene + random.below(kTextsPerScene));
    }
    const at::Tensor heads = unit(features.heads.index_select(0, at::tensor(scenes)));  // [B,H,W]
    const at::Tensor projected =
        unit(project_text(parameters.source(), features.texts.index_select(0, at::tensor(texts))));  // [B,W]
    const at::Tensor similarity =
        at::einsum("bhw,tw->bth", {heads, projected}).amax(2) / recipe.temperature;  // [B,B]
    const at::Tensor own = at::arange(recipe.images, at::kLong);
    const at::Tensor loss =
        (at::cross_entropy_loss(similarity, own) + at::cross_entropy_loss(similarity.t(), own)) / 2;
    return StepResult{
        loss, {loss.item<double>(), similarity.argmax(1).eq(own).to(at::kFloat).mean().item<double>()}};
  };
  const bool finished = run_training(plan, parameters, step);
  if (finished) {
    write_torch_state_dict(projection_path(settings.output), parameters.without(kHeadPrefix));
    write_file(settings.output / "talk2dino.yaml",
               "# The projection's shape, in the words of the Talk2DINO repository.\nmodel:\n  act: tanh\n  "
               "hidden_layer: true\n  dino_embed_dim: " +
                   std::to_string(width) + "\n  clip_embed_dim: " + std::to_string(dim) + "\n");
    report_boxes(world, settings);
  }
  return finished;
}

}  // namespace patchioner::emoji
