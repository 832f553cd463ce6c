#include "scene.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace patchioner::emoji {
namespace {

constexpr double kAtHome = 0.85;          // share of things that are where they belong
constexpr double kGroupChance = 0.22;     // share of draws that repeat the thing before
constexpr double kPaintChance = 0.85;     // share of things with a main colour that are painted
constexpr double kLargestOverlap = 0.25;  // of the smaller of two things
constexpr double kBackdropChance = 0.6;
constexpr int kPairsHeldOut = 12;  // one pair in so many
constexpr int kPaintsHeldOut = 9;

bool outdoors(Surface surface) {
  return surface <= Surface::road || surface == Surface::forest;
}

bool airy(Surface surface) {
  return surface == Surface::sky || surface == Surface::sunset || surface == Surface::night;
}

bool at_home(const Thing& thing, Surface surface) {
  return std::find(thing.places.begin(), thing.places.end(), surface) != thing.places.end();
}

Surface pick_backdrop(Random& random, Surface surface) {
  const double dice = random.uniform();
  if (!outdoors(surface)) {
    return dice < 0.6 ? Surface::wall : Surface::brick;
  }
  if (surface == Surface::road && dice < 0.25) {
    return Surface::brick;
  }
  return dice < 0.6 ? Surface::sky : dice < 0.82 ? Surface::sunset : Surface::night;
}

/// Draws which things there are; where they stand comes later.
class Cast {
 public:
  Cast(Random& random, Split split, const std::vector<Thing>& things)
      : random_(random), split_(split), things_(things) {}

  void draw(Scene& scene, int count) {
    force_ = split_ == Split::test && random_.chance(0.4);
    const int first = static_cast<int>(random_.below(static_cast<int64_t>(things_.size())));
    const Thing& thing = things_[static_cast<size_t>(first)];
    scene.surface =
        random_.chance(kAtHome) ? random_.pick(thing.places) : static_cast<Surface>(random_.below(kSurfaces));
    if (is_ground(scene.surface) && random_.chance(kBackdropChance)) {
      scene.backdrop = pick_backdrop(random_, scene.surface);
    }
    add(scene, first);
    while (static_cast<int>(scene.things.size()) < count) {
      if (random_.chance(kGroupChance)) {
        Placed again = scene.things.back();
        scene.things.push_back(again);
      } else {
        add(scene, next(scene));
      }
    }
  }

 private:
  int next(const Scene& scene) {
    const auto count = static_cast<int64_t>(things_.size());
    const bool home = random_.chance(kAtHome);
    int candidate = 0;
    for (int attempt = 0; attempt < 200; ++attempt) {
      candidate = static_cast<int>(random_.below(count));
      const Thing& thing = things_[static_cast<size_t>(candidate)];
      const bool fits = at_home(thing, scene.surface) || (scene.backdrop && at_home(thing, *scene.backdrop));
      if (home && !fits && attempt < 150) {
        continue;
      }
      const bool special = std::any_of(scene.things.begin(), scene.things.end(), [&](const Placed& other) {
        return held_out_pair(candidate, other.thing);
      });
      if (special == (force_ && scene.things.size() == 1) || (split_ == Split::test && !force_)) {
        return candidate;
      }
    }
    // So few things fit that only held-out pairs came up: repeat the last one.
    return scene.things.back().thing;
  }

  void add(Scene& scene, int index) {
    const Thing& thing = things_[static_cast<size_t>(index)];
    Placed placed;
    placed.thing = index;
    if (thing.recolour && random_.chance(kPaintChance)) {
      do {
        placed.paint = static_cast<int>(random_.below(kPaints));
      } while (split_ == Split::train && held_out_paint(index, placed.paint));
    }
    placed.aloft = scene.backdrop && at_home(thing, *scene.backdrop) && airy(*scene.backdrop) &&
                   !at_home(thing, scene.surface);
    scene.things.push_back(placed);
  }

  Random& random_;
  Split split_;
  const std::vector<Thing>& things_;
  bool force_ = false;
};

double overlap(const Placed& left, const Placed& right) {
  const double reach = (left.size + right.size) / 2;
  const double width = std::min({reach - std::fabs(left.x - right.x), left.size, right.size});
  const double height = std::min({reach - std::fabs(left.y - right.y), left.size, right.size});
  const double side = std::min(left.size, right.size);
  return width <= 0 || height <= 0 ? 0 : width * height / (side * side);
}

/// Finds a free place for a thing, shrinking it now and then; false when there is none.
bool place(Random& random, const Scene& scene, std::span<const Placed> others, Placed& placed,
           const SceneOptions& options) {
  const double shorter = std::min(scene.width, scene.height);
  for (int attempt = 0; attempt < 60; ++attempt) {
    const double half = placed.size / 2;
    const double margin = 0.75 * half;
    const double line = scene.horizon * scene.height;
    placed.x = options.centred ? scene.width / 2.0 + random.uniform(-0.3, 0.3) * (scene.width - placed.size)
                               : random.uniform(margin, scene.width - margin);
    if (options.centred || !scene.backdrop) {
      placed.y = random.uniform(margin, scene.height - margin);
    } else if (placed.aloft) {
      placed.y = random.uniform(margin, std::max(margin + 1, line - 0.5 * half));
    } else {
      // It stands with its foot on the surface.
      placed.y = random.uniform(line + 0.2 * placed.size, scene.height + 0.1 * half) - half;
      placed.y = std::max(placed.y, margin);
    }
    const bool free = std::all_of(others.begin(), others.end(), [&](const Placed& other) {
      return overlap(placed, other) <= kLargestOverlap;
    });
    if (free) {
      placed.share = placed.size / shorter;
      return true;
    }
    if (attempt % 12 == 11) {
      placed.size = std::max(placed.size * 0.85, options.smallest_share * shorter);
    }
  }
  return false;
}

void arrange(Random& random, Scene& scene, const SceneOptions& options) {
  const double shorter = std::min(scene.width, scene.height);
  const auto count = static_cast<double>(scene.things.size());
  const double largest =
      std::max(options.smallest_share, std::min(options.largest_share, 0.85 / std::sqrt(count)));
  const double smallest = std::max(options.smallest_share, 0.42 * largest);
  std::vector<Placed> placed_things;
  for (Placed placed : scene.things) {
    placed.size = shorter * random.uniform(smallest, largest);
    placed.angle = random.chance(0.5) ? random.uniform(-14, 14) : 0;
    placed.flip = random.chance(0.5);
    placed.brightness = random.uniform(0.78, 1.0);
    if (place(random, scene, placed_things, placed, options) || placed_things.empty()) {
      placed_things.push_back(placed);
    }
  }
  std::stable_sort(placed_things.begin(), placed_things.end(), [](const Placed& left, const Placed& right) {
    return left.aloft != right.aloft ? left.aloft : left.y + left.size / 2 < right.y + right.size / 2;
  });
  scene.things = std::move(placed_things);
}

void light(Random& random, Scene& scene) {
  const bool dark = scene.surface == Surface::night || scene.backdrop == Surface::night;
  scene.surface_variant = static_cast<int>(random.below(3));
  scene.backdrop_variant = static_cast<int>(random.below(3));
  scene.texture_x = random.uniform(0, 300);
  scene.texture_y = random.uniform(0, 300);
  scene.texture_scale = random.uniform(0.7, 1.5);
  scene.gain = random.uniform(0.82, 1.1) * (dark ? 0.85 : 1.0);
  scene.slope_x = random.uniform(-0.12, 0.12);
  scene.slope_y = random.uniform(-0.12, 0.12);
  for (double& channel : scene.tint) {
    channel = random.uniform(0.95, 1.05);
  }
}

}  // namespace

bool held_out_pair(int thing, int other) {
  if (thing == other) {
    return false;
  }
  const auto low = static_cast<uint64_t>(std::min(thing, other));
  const auto high = static_cast<uint64_t>(std::max(thing, other));
  return Random::mix(low * 4099 + high + 11) % kPairsHeldOut == 0;
}

bool held_out_paint(int thing, int paint_index) {
  return paint_index >= 0 &&
         Random::mix(static_cast<uint64_t>(thing) * 131 + static_cast<uint64_t>(paint_index) + 7) %
                 kPaintsHeldOut ==
             0;
}

bool has_held_out(const Scene& scene) {
  for (const Placed& placed : scene.things) {
    if (held_out_paint(placed.thing, placed.paint)) {
      return true;
    }
    for (const Placed& other : scene.things) {
      if (held_out_pair(placed.thing, other.thing)) {
        return true;
      }
    }
  }
  return false;
}

Scene sample_scene(uint64_t seed, Split split, uint64_t index, const std::vector<Thing>& things,
                   const SceneOptions& options) {
  Random random({seed, split == Split::train ? 1u : 2u, index});
  Scene scene;
  const double longer =
      random.uniform(std::max(options.shortest_side, options.longest_side * 2 / 3), options.longest_side);
  const double ratio = random.uniform(0.6, 1.0);
  const int long_side = static_cast<int>(std::lround(longer));
  const int short_side = std::max(options.shortest_side, static_cast<int>(std::lround(longer * ratio)));
  const bool upright = random.chance(0.3);
  scene.width = upright ? short_side : long_side;
  scene.height = upright ? long_side : short_side;
  const int count = options.fewest + static_cast<int>(random.below(options.most - options.fewest + 1));
  Cast(random, split, things).draw(scene, count);
  if (scene.backdrop) {
    const bool any_aloft = std::any_of(scene.things.begin(), scene.things.end(),
                                       [](const Placed& placed) { return placed.aloft; });
    scene.horizon = any_aloft ? random.uniform(0.45, 0.62) : random.uniform(0.25, 0.55);
  }
  arrange(random, scene, options);
  light(random, scene);
  return scene;
}

}  // namespace patchioner::emoji
