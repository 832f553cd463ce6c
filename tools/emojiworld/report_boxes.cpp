// How well the chain can name what is in a box: the mean of the box's patches against the projected texts of
// all things.
#include <patchioner/log.hpp>

#include "commands.hpp"
#include "frozen.hpp"
#include "language.hpp"

namespace patchioner::emoji {
namespace {

constexpr int64_t kScenes = 240;
constexpr int64_t kBatch = 24;
constexpr double kSeenShare = 0.35;

}  // namespace

void report_boxes(const World& world, const Settings& settings) {
  const FrozenTowers towers(settings.output);
  TensorLoader loader(StateDict::open(projection_path(settings.output)), "Talk2DINO projection");
  const WeightSource source = weights_from(loader);
  std::vector<std::string> names;
  for (const Thing& thing : world.things) {
    const std::string article =
        thing.article == "some" || thing.article == "the" ? thing.article : article_for(thing.noun);
    names.push_back(article + " " + thing.noun);
  }
  const at::Tensor texts = unit(project_text(source, towers.text(names)));  // [K,W]
  const int grid = kTrunkSide / kTrunkPatch;
  int64_t boxes = 0;
  int64_t first_right = 0;
  int64_t among_five = 0;
  SceneOptions options;
  const BatchSpec spec{kBatch, kTrunkSide, kTrunkPatch, kImageNetNorm, options, Split::test};
  for (int64_t i = 0; i < kScenes; i += kBatch) {
    const Batch batch = make_batch(world, spec, static_cast<uint64_t>(i + 1));
    const at::Tensor patches = towers.patches(batch.pixels);  // [B,rows,columns,W]
    for (size_t b = 0; b < batch.scenes.size(); ++b) {
      const Scene& scene = batch.scenes[b];
      const Picture picture = world.renderer.draw(scene, kTrunkSide, kTrunkSide);
      for (size_t t = 0; t < scene.things.size(); ++t) {
        const Extent& extent = picture.extents[t];
        if (extent.visible < kSeenShare || extent.box.empty()) {
          continue;
        }
        const auto cell = [&](int pixel) { return std::min(pixel / kTrunkPatch, grid - 1); };
        const at::Tensor inside =
            patches[static_cast<int64_t>(b)]
                .slice(0, cell(extent.box.y), cell(extent.box.y + extent.box.height) + 1)
                .slice(1, cell(extent.box.x), cell(extent.box.x + extent.box.width) + 1);
        const at::Tensor similarity = at::matmul(texts, unit(inside.mean({0, 1})));  // [K]
        const int64_t better = similarity.gt(similarity[scene.things[t].thing]).sum().item<int64_t>();
        ++boxes;
        first_right += better == 0 ? 1 : 0;
        among_five += better < 5 ? 1 : 0;
      }
    }
  }
  const auto share = [&](int64_t count) {
    return 100.0 * static_cast<double>(count) / static_cast<double>(boxes);
  };
  settings.report(
      "talk2dino",
      fmt::format(
          "{} boxes of {} test scenes: nearest of {} nouns right {:.1f} %, among the nearest five {:.1f} %",
          boxes, kScenes, names.size(), share(first_right), share(among_five)));
}

}  // namespace patchioner::emoji
