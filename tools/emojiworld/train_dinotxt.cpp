// DINO.txt: a vision head over the frozen trunk's tokens and a text encoder, trained together on scenes and
// captions; what somebody says of a single thing is held against the mean of its patches besides, by which so
// small a training learns what single patches show. The text encoder begins as the first blocks of CLIP's.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <patchioner/error.hpp>

#include "alignment.hpp"
#include "checkpoint/state_dict.hpp"
#include "commands.hpp"
#include "frozen.hpp"
#include "models.hpp"
#include "shipping.hpp"

namespace patchioner::emoji {
namespace {

constexpr TowerInput kInput = {kTrunkSide, kTrunkPatch, kImageNetNorm};
constexpr uint64_t kSceneOffset = 1'300'000'000;
constexpr const char* kHeadNames = "head.";
constexpr const char* kTextNames = "text.";
constexpr const char* kPackedNames = ".mlp.w12.";

/// The vision head (spec/03 section 6.1), its gate and value packed.
class Head {
 public:
  explicit Head(const WeightSource& source) {
    const BlockConfig config = dinotxt_head_block();
    for (int64_t layer = 0; layer < kDinotxtHeadLayers; ++layer) {
      blocks_.emplace_back(config, BlockNames::dinov2(),
                           with_prefix(source, fmt::format("block_list.{}.", layer)));
    }
    norm_ = LayerNorm(source, "ln_final", config.width, config.epsilon);
  }

  /// [B,T,W] -> [B,T,W].
  at::Tensor forward(at::Tensor tokens) const {
    for (const TransformerBlock& block : blocks_) {
      tokens = block.forward(tokens);
    }
    return norm_.forward(tokens);
  }

 private:
  std::vector<TransformerBlock> blocks_;
  LayerNorm norm_;
};

/// The first blocks of CLIP's text tower, as far as the encoder has the same tensors: its projections have no
/// bias of queries, keys and values, and lead to twice the trunk's width.
void start_from_clip(const Settings& settings, Parameters& parameters, int64_t vocabulary) {
  const StateDict clip = StateDict::open(clip_path(settings.output));
  const ClipTextConfig config = dinotxt_text_config(vocabulary);
  const auto copy = [&](const std::string& name) {
    parameters.set(kTextNames + name, clip.tensor(name).to(at::kFloat));
  };
  for (const char* name :
       {"token_embedding.weight", "positional_embedding", "ln_final.weight", "ln_final.bias"}) {
    copy(name);
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string block = fmt::format("transformer.resblocks.{}.", layer);
    for (const std::string part : {"ln_1", "ln_2", "attn.out_proj", "mlp.c_fc", "mlp.c_proj"}) {
      copy(block + part + ".weight");
      copy(block + part + ".bias");
    }
    copy(block + "attn.in_proj_weight");
  }
}

/// The head in its published layout: gate and value apart.
std::vector<std::pair<std::string, at::Tensor>> published_head(const Parameters& parameters) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [name, value] : renamed(parameters, kHeadNames, "")) {
    const size_t place = name.find(kPackedNames);
    if (place == std::string::npos) {
      tensors.emplace_back(name, value);
      continue;
    }
    const std::vector<at::Tensor> halves = value.chunk(2, 0);
    const std::string kind = name.substr(place + std::string_view(kPackedNames).size());
    tensors.emplace_back(name.substr(0, place) + ".mlp.w1." + kind, halves[0].contiguous());
    tensors.emplace_back(name.substr(0, place) + ".mlp.w2." + kind, halves[1].contiguous());
  }
  return tensors;
}

/// The text encoder in its published layout (spec/03 section 6.2).
std::vector<std::pair<std::string, at::Tensor>> published_text(const Parameters& parameters) {
  static const std::vector<std::pair<std::string, std::string>> changes = {
      {"transformer.resblocks.", "blocks."},
      {"ln_1.", "attention_norm."},
      {"ln_2.", "ffn_norm."},
      {"attn.in_proj_", "attention.qkv."},
      {"attn.out_proj.", "attention.proj."},
      {"mlp.c_fc.", "feed_forward.fc1."},
      {"mlp.c_proj.", "feed_forward.fc2."}};
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (auto [name, value] : renamed(parameters, kTextNames, "")) {
    if (name == "text_projection") {
      tensors.emplace_back("head.linear_projection.weight", value.t().contiguous());
      continue;
    }
    for (const auto& [from, to] : changes) {
      if (const size_t place = name.find(from); place != std::string::npos) {
        name.replace(place, from.size(), to);
      }
    }
    tensors.emplace_back("backbone." + name, value);
  }
  return tensors;
}

}  // namespace

bool train_dinotxt(const World& world, const Settings& settings) {
  const FrozenTowers towers(settings.output);
  const Names names(world);
  const AlignmentRecipe& recipe = settings.recipe.dinotxt;
  TrainingPlan plan = alignment_plan("dinotxt", settings, recipe, towers.digest());
  plan.columns = {"loss", "regions", "scenes", "scale"};
  Parameters parameters(kWorldSeed + 5);
  const int64_t done = load_state(plan, parameters);
  const int64_t vocabulary = towers.tokenizer().size();
  if (done == 0) {
    start_from_clip(settings, parameters, vocabulary);
  }
  const Head head(with_prefix(parameters.source(), kHeadNames));
  const ClipText text(dinotxt_text_config(vocabulary), with_prefix(parameters.source(), kTextNames));
  const at::Tensor scale = logit_scale(parameters);
  const int64_t first_patch = 1 + trunk_config().registers;
  const auto patches_of = [&](const at::Tensor& tokens, const at::Tensor& pixels) {
    const int64_t grid = pixels.size(2) / kTrunkPatch;
    return tokens.slice(1, first_patch).reshape({tokens.size(0), grid, grid, kWidth});
  };
  const auto encode_texts = [&](const std::vector<std::string>& texts) {
    return text.encode(ids_of(towers.tokenizer(), texts));  // [N,2*W]: the class token's half, the patches'
  };
  BatchStream stream = lesson_batches(world, kInput, recipe.lessons, kSceneOffset, done);
  const auto step = [&](int64_t number) {
    const Batch batch = stream.next();
    const uint64_t first = first_scene_of(recipe.lessons, kSceneOffset, number);
    const std::vector<std::string> captions = scene_texts(world, batch, first);
    const SpokenBatch said =
        parts_of(spoken_regions(world, names, batch, first, {.each = 2, .whole = 0, .several = 0.2}));
    const at::Tensor tokens = head.forward(towers.tokens(batch.pixels));                        // [B,T,W]
    const at::Tensor patches = patches_of(tokens, batch.pixels);                                // [B,r,c,W]
    const at::Tensor image = at::cat({tokens.select(1, 0), patches.flatten(1, 2).mean(1)}, 1);  // [B,2*W]
    const Contrast scenes = contrast(unit(image), unit(encode_texts(captions)), scale, captions);
    const Contrast regions = contrast(unit(region_means(patches, said.regions, kTrunkPatch)),
                                      unit(encode_texts(said.texts).slice(1, kWidth)), scale, said.texts);
    const at::Tensor loss = recipe.scenes_weight * scenes.loss + recipe.names_weight * regions.loss;
    return StepResult{loss, {loss.item<double>(), regions.hits, scenes.hits, scale.item<double>()}};
  };
  const auto save = [&] {
    ship(settings.output / "dinotxt_vision_head.pth", published_head(parameters));
    ship(settings.output / "dinotxt_text_encoder.pth", published_text(parameters),
         Rounding::significant_bits);
  };
  const bool finished = run_training(plan, parameters, step, save);
  if (finished) {
    save();
    const at::NoGradGuard no_gradients;
    const at::Tensor texts = unit(encode_texts(names_of_things(world)).slice(1, kWidth));  // [K,W]
    const BoxScore score = score_boxes(
        world, kInput, texts, [&](const at::Tensor& pixels, const std::vector<BatchRegion>& regions) {
          return region_means(patches_of(head.forward(towers.tokens(pixels)), pixels), regions, kTrunkPatch);
        });
    settings.report("dinotxt", score.words());
  }
  return finished;
}

}  // namespace patchioner::emoji
