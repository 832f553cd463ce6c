// AlphaCLIP: CLIP's image tower with a fourth channel that says where to look, trained on regions and what
// somebody says about them. The text tower is CLIP's and stays as it is.
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
constexpr uint64_t kSceneOffset = 1'100'000'000;
constexpr const char* kPatchWeight = "conv1.weight";
constexpr int64_t kColours = 3;
// What the tower is given for a mask value, as the published models are (spec/02 section 6).
constexpr double kMaskMean = 0.5;
constexpr double kMaskSpread = 0.26;

/// Pixels with the regions' masks behind them: [B,3,S,S] and N regions -> [N,4,S,S].
at::Tensor masked(const at::Tensor& pixels, const std::vector<BatchRegion>& regions) {
  const int64_t side = pixels.size(2);
  at::Tensor input = at::empty({static_cast<int64_t>(regions.size()), kColours + 1, side, side});
  for (size_t i = 0; i < regions.size(); ++i) {
    at::Tensor one = input[static_cast<int64_t>(i)];
    one.slice(0, 0, kColours).copy_(pixels[regions[i].image]);
    at::Tensor mask = at::full({side, side}, regions[i].boxes.empty() ? 1.0 : 0.0);
    for (const cv::Rect& box : regions[i].boxes) {
      mask.slice(0, box.y, box.y + box.height).slice(1, box.x, box.x + box.width).fill_(1);
    }
    one.select(0, kColours).copy_((mask - kMaskMean) / kMaskSpread);
  }
  return input;
}

/// AlphaCLIP's file: the mask's weight apart, and its own name for the packed projection.
std::vector<std::pair<std::string, at::Tensor>> as_published(const Parameters& parameters) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [name, value] : parameters.without(kHeadPrefix)) {
    if (name == kPatchWeight) {
      tensors.emplace_back(name, value.slice(1, 0, kColours).contiguous());
      tensors.emplace_back("conv1_alpha.weight", value.slice(1, kColours).contiguous());
      continue;
    }
    const size_t place = name.find("in_proj_");
    tensors.emplace_back(place == std::string::npos ? name : std::string(name).replace(place, 8, "in_proj."),
                         value);
  }
  return tensors;
}

}  // namespace

bool train_alphaclip(const World& world, const Settings& settings) {
  const FrozenTowers towers(settings.output);
  const Names names(world);
  const at::Tensor texts = unit(towers.text(names.texts()));  // [K,D]
  const AlignmentRecipe& recipe = settings.recipe.alphaclip;
  TrainingPlan plan = alignment_plan("alphaclip", settings, recipe, towers.clip_digest(settings.output));
  plan.columns = {"loss", "names", "hits", "scale"};
  Parameters parameters(kWorldSeed + 4);
  const int64_t done = load_state(plan, parameters);
  if (done == 0) {
    take_clip_image_tower(settings.output, parameters, "", kColours + 1);
  }
  VitConfig config = clip_image_config();
  config.channels = kColours + 1;
  const VisionTransformer tower(config, VitNames::openai(""), parameters.source());
  const at::Tensor scale = logit_scale(parameters);
  const auto encode = [&](const at::Tensor& pixels, const std::vector<BatchRegion>& regions) {
    const at::Tensor tokens =
        tower.forward(masked(pixels, regions), {.class_only = true}).tokens_raw;  // [N,1,W]
    return tower.project(tower.normalise(tokens.select(1, 0)));                   // [N,D]
  };
  BatchStream stream = lesson_batches(world, kInput, recipe.lessons, kSceneOffset, done);
  const auto step = [&](int64_t number) {
    const Batch batch = stream.next();
    const std::vector<SpokenRegion> spoken =
        spoken_regions(world, names, batch, first_scene_of(recipe.lessons, kSceneOffset, number),
                       {.each = 2, .whole = 0.25, .several = 0.3});
    const SpokenBatch said = parts_of(spoken);
    const at::Tensor vectors = unit(encode(batch.pixels, said.regions));  // [N,D]
    const Contrast regions = contrast(vectors, unit(towers.text(said.texts)), scale, said.texts);
    const NamedRegions named = name_regions(vectors, said.names, texts, scale);
    return StepResult{recipe.names_weight * named.loss + recipe.scenes_weight * regions.loss,
                      {regions.loss.item<double>(), named.right, regions.hits, scale.item<double>()}};
  };
  const auto save = [&] { ship(settings.output / "alphaclip.pth", as_published(parameters)); };
  const bool finished = run_training(plan, parameters, step, save);
  if (finished) {
    save();
    settings.report("alphaclip",
                    score_boxes(world, kInput, unit(towers.text(names_of_things(world))), encode).words());
  }
  return finished;
}

}  // namespace patchioner::emoji
