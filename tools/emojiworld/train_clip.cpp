// CLIP: an image tower and a text tower that learn which caption belongs to which scene. The image tower
// starts from the blocks of the trunk (resampled to its patches), and keeps saying what each patch shows
// while it learns, which makes it learn fast.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "checkpoint/state_dict.hpp"
#include "commands.hpp"
#include "frozen.hpp"
#include "language.hpp"
#include "models.hpp"
#include "patch_lessons.hpp"
#include "shipping.hpp"
#include "support/files.hpp"
#include "text/clip_tokenizer.hpp"

namespace patchioner::emoji {
namespace {

constexpr TowerInput kInput = {kClipSide, kClipPatch, kClipNorm};
constexpr double kFirstLogitScale = 2.6592;    // ln(1 / 0.07), CLIP's
constexpr double kLargestLogitScale = 4.6052;  // ln(100), CLIP's
constexpr uint64_t kSceneOffset = 500'000'000;
constexpr int64_t kTestScenes = 240;
constexpr int64_t kTestBatch = 40;

/// The trunk's tensors as an OpenAI-style image tower: LayerScale folded into the projections, patches and
/// positions resampled, the pixel normalisation turned from ImageNet's to CLIP's.
void start_from_trunk(const World& world, Parameters& parameters, const StateDict& trunk) {
  const at::NoGradGuard no_gradients;
  const VitConfig config = clip_image_config();
  const VitConfig from = trunk_config();
  const auto get = [&](const std::string& name) { return trunk.tensor(name).to(at::kFloat); };
  const at::Tensor kernel = get("patch_embed.proj.weight");  // [W,3,14,14]
  const double area = static_cast<double>(from.patch_size * from.patch_size) /
                      static_cast<double>(config.patch_size * config.patch_size);
  at::Tensor resized =
      at::_upsample_bicubic2d_aa(kernel, {config.patch_size, config.patch_size}, false) * area;
  at::Tensor bias = get("patch_embed.proj.bias");
  for (int64_t c = 0; c < 3; ++c) {
    const auto i = static_cast<size_t>(c);
    bias = bias + resized.select(1, c).sum({1, 2}) *
                      ((kClipNorm.mean[i] - kImageNetNorm.mean[i]) / kImageNetNorm.std[i]);
    resized.select(1, c).mul_(kClipNorm.std[i] / kImageNetNorm.std[i]);
  }
  parameters.set("visual.conv1.weight", resized);
  at::Tensor positions = resample_positions(get("pos_embed").squeeze(0), kClipSide / kClipPatch,
                                            kClipSide / kClipPatch, PositionRule::bicubic_aa);
  positions.slice(0, 1).add_(bias);
  parameters.set("visual.positional_embedding", positions);
  parameters.set("visual.class_embedding", get("cls_token").flatten());
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string source = fmt::format("blocks.{}.", layer);
    const std::string target = fmt::format("visual.transformer.resblocks.{}.", layer);
    const auto copy = [&](const std::string& to, const std::string& name) {
      parameters.set(target + to, get(source + name));
    };
    for (const std::string kind : {"weight", "bias"}) {
      copy("ln_1." + kind, "norm1." + kind);
      copy("ln_2." + kind, "norm2." + kind);
      copy("attn.in_proj_" + kind, "attn.qkv." + kind);
      copy("mlp.c_fc." + kind, "mlp.fc1." + kind);
    }
    const auto fold = [&](const std::string& to, const std::string& name, const std::string& scale) {
      const at::Tensor gamma = get(source + scale);
      parameters.set(target + to + ".weight", get(source + name + ".weight") * gamma.unsqueeze(1));
      parameters.set(target + to + ".bias", get(source + name + ".bias") * gamma);
    };
    fold("attn.out_proj", "attn.proj", "ls1.gamma");
    fold("mlp.c_proj", "mlp.fc2", "ls2.gamma");
  }
  // The norm before the blocks gives tokens the spread that they have in the trunk.
  TensorLoader loader(trunk, "trunk");
  loader.ignore("mask_token");
  const VisionTransformer original(from, VitNames::dinov2(), weights_from(loader));
  loader.finish();
  const Batch batch = make_batch(
      world, {8, kTrunkSide, static_cast<int>(from.patch_size), kImageNetNorm, {}, Split::train}, 0);
  const double spread = original.forward(batch.pixels, {true}).tokens_in.std(-1, false).mean().item<double>();
  parameters.set("visual.ln_pre.weight", at::full({config.block.width}, spread));
  parameters.set("visual.ln_pre.bias", at::zeros({config.block.width}));
  parameters.set("visual.ln_post.weight", get("norm.weight"));
  parameters.set("visual.ln_post.bias", get("norm.bias"));
}

/// The towers over one set of parameters.
struct Clip {
  VisionTransformer image;
  ClipText text;
  at::Tensor logit_scale;

  Clip(const WeightSource& source, int64_t vocabulary)
      : image(clip_image_config(), VitNames::openai(), source),
        text(clip_text_config(vocabulary), source),
        logit_scale(source("logit_scale", {})) {}
};

struct ImageTokens {
  at::Tensor patches;    // [B,G,W] normed
  at::Tensor global;     // [B,W] normed
  at::Tensor embedding;  // [B,D] unit length
};

ImageTokens run_image(const Clip& clip, const at::Tensor& pixels) {
  const at::Tensor tokens = clip.image.normalise(clip.image.forward(pixels).tokens_raw);  // [B,T,W]
  const at::Tensor global = tokens.select(1, 0);
  return {tokens.slice(1, 1), global, unit(clip.image.project(global))};
}

void report_retrieval(const World& world, const Clip& clip, const ClipTokenizer& tokenizer,
                      const Settings& settings) {
  const at::NoGradGuard no_gradients;
  SceneOptions options;
  BatchSpec spec{kTestBatch, kClipSide, kClipPatch, kClipNorm, options, Split::test};
  std::vector<at::Tensor> images;
  std::vector<std::string> captions;
  for (int64_t i = 0; i < kTestScenes / kTestBatch; ++i) {
    const uint64_t first = 10'000 + static_cast<uint64_t>(i * kTestBatch);
    const Batch batch = make_batch(world, spec, first);
    images.push_back(run_image(clip, batch.pixels).embedding);
    for (size_t s = 0; s < batch.scenes.size(); ++s) {
      captions.push_back(scene_text(world, batch.scenes[s], first + s));
    }
  }
  const at::Tensor similarity =
      at::matmul(at::cat(images), unit(clip.text.encode(ids_of(tokenizer, captions))).t());  // [N,N]
  const auto recall = [&](const at::Tensor& rows, int64_t top) {
    const at::Tensor own = rows.diagonal().unsqueeze(1);
    return 100 * rows.gt(own).sum(1).lt(top).to(at::kFloat).mean().item<double>();
  };
  settings.report("clip", fmt::format("{} test scenes and captions: image to text recall@1 {:.1f} %, @5 "
                                      "{:.1f} %; text to image @1 {:.1f} %, @5 {:.1f} %",
                                      kTestScenes, recall(similarity, 1), recall(similarity, 5),
                                      recall(similarity.t(), 1), recall(similarity.t(), 5)));
}

}  // namespace

std::string scene_text(const World& world, const Scene& scene, uint64_t index) {
  Random random({kWorldSeed, index, 502});
  Speaker speaker(world.things, scene, random);
  if (scene.things.size() == 1 && random.chance(0.4)) {
    return speaker.phrase(0);
  }
  if (random.chance(0.6)) {
    return speaker.caption();
  }
  std::vector<int> members(scene.things.size());
  for (size_t i = 0; i < members.size(); ++i) {
    members[i] = static_cast<int>(i);
  }
  return speaker.set_caption(members);
}

bool train_clip(const World& world, const Settings& settings) {
  const auto tokenizer = ClipTokenizer::open(tokenizer_path(settings.output));
  Parameters parameters(kWorldSeed + 1);
  const TowerRecipe& recipe = settings.recipe.clip;
  TrainingPlan plan;
  plan.name = "clip";
  plan.folder = settings.work;
  plan.inputs = sha256(recipe.digest + sha256_of_file(first_trunk_path(settings)) + tokenizer->digest());
  plan.steps = recipe.lessons.steps();
  plan.learning_rate = recipe.learning_rate;
  plan.weight_decay = recipe.weight_decay;
  plan.columns = {"loss", "hits", "patch", "things", "surfaces", "scale"};
  const int64_t done = load_state(plan, parameters);
  if (done == 0) {
    start_from_trunk(world, parameters, StateDict::open(first_trunk_path(settings)));
    parameters.set("logit_scale", at::scalar_tensor(kFirstLogitScale));
  }
  const Clip clip(parameters.source(), tokenizer->size());
  // One tiny pass, so that every parameter exists before the optimiser is made.
  const Batch tiny = make_batch(world, {2, 7 * kClipPatch, kClipPatch, kClipNorm, {}, Split::train}, 0);
  const ImageTokens tokens = run_image(clip, tiny.pixels);
  patch_loss(parameters, recipe, tokens.patches, tokens.global, tiny, world.thing_count());

  BatchStream stream = lesson_batches(world, kInput, recipe.lessons, kSceneOffset, done);
  const auto step = [&](int64_t number) {
    const Batch batch = stream.next();
    std::vector<std::string> texts;
    for (size_t i = 0; i < batch.scenes.size(); ++i) {
      texts.push_back(
          scene_text(world, batch.scenes[i], first_scene_of(recipe.lessons, kSceneOffset, number) + i));
    }
    const ImageTokens image = run_image(clip, batch.pixels);
    const at::Tensor text = unit(clip.text.encode(ids_of(*tokenizer, texts)));  // [B,D]
    const at::Tensor logits = at::matmul(image.embedding, text.t()) *
                              clip.logit_scale.clamp_max(kLargestLogitScale).exp();  // [B,B]
    const at::Tensor own = at::arange(logits.size(0), at::kLong);
    const at::Tensor contrast =
        (at::cross_entropy_loss(logits, own) + at::cross_entropy_loss(logits.t(), own)) / 2;
    const PatchLoss patches =
        patch_loss(parameters, recipe, image.patches, image.global, batch, world.thing_count());
    const double hits = logits.argmax(1).eq(own).to(at::kFloat).mean().item<double>();
    return StepResult{contrast + recipe.patch_weight * patches.total,
                      {contrast.item<double>(), hits, patches.patch_loss, patches.thing_accuracy,
                       patches.surface_accuracy, clip.logit_scale.item<double>()}};
  };
  const auto save = [&] {
    ship(clip_path(settings.output), parameters.without(kHeadPrefix), Rounding::significant_bits);
  };
  const bool finished = run_training(plan, parameters, step, save);
  if (finished) {
    save();
    report_retrieval(world, clip, *tokenizer, settings);
  }
  return finished;
}

}  // namespace patchioner::emoji
