// RegionCLIP: a ResNet with an attention pool that matches regions, pooled from its map, with texts. The
// texts are those of CLIP's text tower, which stays as it is.
#include <ATen/ATen.h>

#include <patchioner/error.hpp>

#include "alignment.hpp"
#include "checkpoint/state_dict.hpp"
#include "commands.hpp"
#include "frozen.hpp"
#include "models.hpp"
#include "nn/roi_align.hpp"
#include "resnet_training.hpp"
#include "shipping.hpp"

namespace patchioner::emoji {
namespace {

constexpr TowerInput kInput = {kRegionSide, static_cast<int>(ResNetConfig::kStride), kClipNorm};
constexpr uint64_t kSceneOffset = 1'500'000'000;
constexpr const char* kPrefix = "backbone.";

/// The tower over a set of parameters.
class Tower {
 public:
  explicit Tower(Parameters& parameters)
      : resnet_(regionclip_resnet(), parameters, kPrefix),
        source_(with_prefix(parameters.source(), fmt::format("{}attnpool.", kPrefix))) {}

  void set_training(bool training) { resnet_.set_training(training); }

  /// Pixels [B,3,S,S] and N regions -> [N,D], as RegionCLIP sees them: the smallest box around each.
  at::Tensor encode(const at::Tensor& pixels, const std::vector<BatchRegion>& regions) {
    const at::Tensor map = resnet_.inner_map(pixels);  // [B,C,h,w]
    const double scale = 1.0 / ResNetConfig::kInnerStride;
    std::vector<at::Tensor> pooled;
    for (const BatchRegion& region : regions) {
      cv::Rect box(0, 0, static_cast<int>(pixels.size(3)), static_cast<int>(pixels.size(2)));
      for (size_t i = 0; i < region.boxes.size(); ++i) {
        box = i == 0 ? region.boxes[i] : box | region.boxes[i];
      }
      const PixelBox corners = {static_cast<double>(box.x), static_cast<double>(box.y),
                                static_cast<double>(box.x + box.width),
                                static_cast<double>(box.y + box.height)};
      pooled.push_back(roi_align(map[region.image], {&corners, 1}, scale, 2 * kRegionGrid));
    }
    return pool_mean(regionclip_pool(), source_, resnet_.last_map(at::cat(pooled)));
  }

 private:
  TrainedResNet resnet_;
  WeightSource source_;
};

}  // namespace

bool train_regionclip(const World& world, const Settings& settings) {
  const FrozenTowers towers(settings.output);
  const Names names(world);
  const at::Tensor texts = unit(towers.text(names.texts()));  // [K,D]
  const AlignmentRecipe& recipe = settings.recipe.regionclip;
  TrainingPlan plan = alignment_plan("regionclip", settings, recipe, towers.clip_digest(settings.output));
  plan.warmup = 50;
  plan.columns = {"loss", "names", "hits", "scale"};
  Parameters parameters(kWorldSeed + 6);
  const int64_t done = load_state(plan, parameters);
  Tower tower(parameters);
  const at::Tensor scale = logit_scale(parameters);
  // One tiny pass, so that every parameter exists before the optimiser is made. It must leave no trace in
  // what the norms remember.
  tower.set_training(false);
  tower.encode(at::zeros({1, 3, kRegionSide, kRegionSide}), {{0, {}}});
  tower.set_training(true);
  BatchStream stream = lesson_batches(world, kInput, recipe.lessons, kSceneOffset, done);
  const auto step = [&](int64_t number) {
    const Batch batch = stream.next();
    const int64_t each = recipe.lessons.lesson_at(number).most_things > 1 ? 3 : 1;
    const SpokenBatch said =
        parts_of(spoken_regions(world, names, batch, first_scene_of(recipe.lessons, kSceneOffset, number),
                                {.each = each, .whole = 0.3, .several = 0.15}));
    const at::Tensor vectors = unit(tower.encode(batch.pixels, said.regions));  // [N,D]
    const NamedRegions named = name_regions(vectors, said.names, texts, scale);
    const Contrast regions = contrast(vectors, unit(towers.text(said.texts)), scale, said.texts);
    const at::Tensor loss = recipe.names_weight * named.loss + recipe.scenes_weight * regions.loss;
    return StepResult{loss, {loss.item<double>(), named.right, regions.hits, scale.item<double>()}};
  };
  const auto save = [&] {
    ship(settings.output / "regionclip.pth", parameters.without(kHeadPrefix), Rounding::significant_bits);
  };
  const bool finished = run_training(plan, parameters, step, save);
  if (finished) {
    save();
    tower.set_training(false);
    settings.report("regionclip",
                    score_boxes(world, kInput, unit(towers.text(names_of_things(world))),
                                [&](const at::Tensor& pixels, const std::vector<BatchRegion>& regions) {
                                  return tower.encode(pixels, regions);
                                })
                        .words());
  }
  return finished;
}

}  // namespace patchioner::emoji
