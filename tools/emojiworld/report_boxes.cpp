// How well the chain can name what is in a box: the mean of the box's patches against the projected texts of
// all things.
#include "alignment.hpp"
#include "commands.hpp"
#include "frozen.hpp"

namespace patchioner::emoji {

void report_boxes(const World& world, const Settings& settings) {
  const FrozenTowers towers(settings.output);
  TensorLoader loader(StateDict::open(projection_path(settings.output)), "Talk2DINO projection");
  const at::Tensor texts =
      unit(project_text(weights_from(loader), towers.text(names_of_things(world))));  // [K,W]
  const BoxScore score = score_boxes(world, {kTrunkSide, kTrunkPatch, kImageNetNorm}, texts,
                                     [&](const at::Tensor& pixels, const std::vector<BatchRegion>& regions) {
                                       return region_means(towers.patches(pixels), regions, kTrunkPatch);
                                     });
  settings.report("talk2dino", score.words());
}

}  // namespace patchioner::emoji
