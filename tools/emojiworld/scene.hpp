// A scene: what stands where. Drawn from (seed, split, index) alone, so that any scene can be made again at
// any time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "objects.hpp"
#include "random.hpp"

namespace patchioner::emoji {

enum class Split { train, test };

/// One thing of a scene; coordinates in pixels of the scene, of which (0,0) is the top left corner.
struct Placed {
  int thing = 0;
  int paint = -1;  ///< index of paint(), or -1 for the colours of the font
  double x = 0;    ///< centre
  double y = 0;
  double size = 0;   ///< longer side of the glyph, pixels
  double angle = 0;  ///< degrees
  bool flip = false;
  double brightness = 1;
  double share = 0;    ///< size over the shorter side of the scene
  bool aloft = false;  ///< hangs in the backdrop instead of standing on the surface
};

struct Scene {
  int width = 0;
  int height = 0;
  Surface surface = Surface::grass;
  std::optional<Surface> backdrop;
  double horizon = 0;  ///< where the surface begins, as a share of the height; 0 without a backdrop
  int surface_variant = 0;
  int backdrop_variant = 0;
  double texture_x = 0;  ///< offset into the texture, pixels
  double texture_y = 0;
  double texture_scale = 1;
  double gain = 1;     ///< light
  double slope_x = 0;  ///< change of the light from the middle to the right edge
  double slope_y = 0;
  double tint[3] = {1, 1, 1};
  std::vector<Placed> things;  ///< in drawing order, the farthest first
};

/// What may be drawn.
struct SceneOptions {
  int fewest = 1;
  int most = 5;
  double smallest_share = 0.17;
  double largest_share = 0.75;
  int shortest_side = 200;  ///< pixels
  int longest_side = 500;
  bool centred = false;  ///< single things in the middle, for the first lessons
};

/// Things that appear together, and paints that things have, only in the test split.
bool held_out_pair(int thing, int other);
bool held_out_paint(int thing, int paint);

/// Whether a scene has any of them.
bool has_held_out(const Scene& scene);

/// The scene of that number. Training scenes never hold what is held out; two test scenes in five are made
/// to.
Scene sample_scene(uint64_t seed, Split split, uint64_t index, const std::vector<Thing>& things,
                   const SceneOptions& options);

}  // namespace patchioner::emoji
