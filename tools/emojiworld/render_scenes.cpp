#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <patchioner/error.hpp>

#include "commands.hpp"

namespace patchioner::emoji {
namespace {

void write_image(const std::filesystem::path& path, const cv::Mat& rgb) {
  cv::Mat bgr;
  cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
  if (!cv::imwrite(path.string(), bgr)) {
    throw Error(ErrorKind::io, "{}: cannot be written", path.string());
  }
}

/// All things on a table, and below them those that can be painted, in all paints.
cv::Mat draw_sheet(const World& world) {
  constexpr int kCell = 64;
  constexpr int kColumns = 20;
  std::vector<std::pair<int, int>> cells;
  for (int thing = 0; thing < world.thing_count(); ++thing) {
    cells.emplace_back(thing, -1);
  }
  for (int thing = 0; thing < world.thing_count(); ++thing) {
    for (int paint = 0; world.things[static_cast<size_t>(thing)].recolour && paint < kPaints; ++paint) {
      cells.emplace_back(thing, paint);
    }
  }
  Scene scene;
  scene.width = kColumns * kCell;
  scene.height = (static_cast<int>(cells.size()) + kColumns - 1) / kColumns * kCell;
  scene.surface = Surface::wall;
  for (size_t i = 0; i < cells.size() && i < 250; ++i) {
    Placed placed;
    placed.thing = cells[i].first;
    placed.paint = cells[i].second;
    placed.x = (static_cast<double>(i % kColumns) + 0.5) * kCell;
    placed.y = (static_cast<double>(i / kColumns) + 0.5) * kCell;
    placed.size = 0.9 * kCell;
    scene.things.push_back(placed);
  }
  cv::Mat sheet = world.renderer.draw(scene, scene.width, scene.height).rgb;
  Scene rest = scene;
  rest.things.clear();
  for (size_t i = 250; i < cells.size(); ++i) {
    Placed placed;
    placed.thing = cells[i].first;
    placed.paint = cells[i].second;
    placed.x = (static_cast<double>(i % kColumns) + 0.5) * kCell;
    placed.y = (static_cast<double>(i / kColumns) + 0.5) * kCell;
    placed.size = 0.9 * kCell;
    rest.things.push_back(placed);
    if (rest.things.size() == 250 || i + 1 == cells.size()) {
      const Picture picture = world.renderer.draw(rest, rest.width, rest.height);
      for (const Extent& extent : picture.extents) {
        picture.rgb(extent.box).copyTo(sheet(extent.box));
      }
      rest.things.clear();
    }
  }
  return sheet;
}

}  // namespace

void render_scenes(const World& world, const std::filesystem::path& folder, uint64_t first, int count,
                   Split split, bool sheet) {
  std::filesystem::create_directories(folder);
  for (int i = 0; i < count; ++i) {
    const uint64_t index = first + static_cast<uint64_t>(i);
    const Scene scene = sample_scene(kWorldSeed, split, index, world.things, {});
    write_image(folder / fmt::format("{}.jpg", index),
                world.renderer.draw(scene, scene.width, scene.height).rgb);
  }
  if (sheet) {
    write_image(folder / "things.png", draw_sheet(world));
  }
}

}  // namespace patchioner::emoji
