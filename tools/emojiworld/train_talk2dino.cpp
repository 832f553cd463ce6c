// The Talk2DINO projection: CLIP's text features into the space of the trunk's patches, by the method's own
// objective. Both networks are frozen, so their features are computed once.
#include <torch/torch.h>

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

constexpr int64_t kImagesPerPass = 32;
constexpr uint64_t kFirstScene = 700'000'000;
constexpr int64_t kTextsPerScene = 3;

struct Features {
  at::Tensor heads;  // [N,H,W] attention-weighted patches of each head
  at::Tensor texts;  // [N*kTextsPerScene,D] CLIP text features
};

/// The features of the training scenes, kept in a file, since making them takes most of the time.
Features collect(const World& world, const Settings& settings, const FrozenTowers& towers) {
  const std::filesystem::path path = settings.work / "talk2dino_features.safetensors";
  const std::string digest = towers.digest();
  if (std::filesystem::exists(path)) {
    const StateDict kept = StateDict::open(path);
    if (kept.metadata().at("towers") == digest) {
      return {kept.tensor("heads"), kept.tensor("texts")};
    }
  }
  const int64_t scenes_wanted = settings.recipe.talk2dino.scenes;
  std::vector<at::Tensor> heads;
  std::vector<at::Tensor> texts;
  Progress progress("talk2dino features", "scenes", scenes_wanted);
  for (int64_t first = 0; first < scenes_wanted; first += kImagesPerPass) {
    const int stage = static_cast<int>(first * 3 / scenes_wanted);
    SceneOptions options;
    options.most = stage == 0 ? 1 : stage == 1 ? 2 : 5;
    const BatchSpec spec{kImagesPerPass, kTrunkSide, 14, kImageNetNorm, options, Split::train};
    const uint64_t scene = kFirstScene + static_cast<uint64_t>(first);
    const Batch batch = make_batch(world, spec, scene);
    heads.push_back(towers.head_features(batch.pixels));
    std::vector<std::string> sentences;
    for (size_t i = 0; i < batch.scenes.size(); ++i) {
      for (int64_t t = 0; t < kTextsPerScene; ++t) {
        sentences.push_back(
            scene_text(world, batch.scenes[i], scene + i + static_cast<uint64_t>(t) * 100'000'000));
      }
    }
    texts.push_back(towers.text(sentences));
    progress.advance(kImagesPerPass);
    if (interrupted()) {
      throw Error(ErrorKind::io, "interrupted");
    }
  }
  progress.finish();
  Features features{at::cat(heads), at::cat(texts)};
  write_safetensors(path, {{"heads", features.heads}, {"texts", features.texts}}, {{"towers", digest}});
  return features;
}

}  // namespace

bool train_talk2dino(const World& world, const Settings& settings) {
  const FrozenTowers towers(settings.output);
  const Features features = collect(world, settings, towers);
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
