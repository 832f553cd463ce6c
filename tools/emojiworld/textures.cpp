#include "textures.hpp"

#include <algorithm>
#include <cmath>

#include "random.hpp"

namespace patchioner::emoji {
namespace {

using Colour = cv::Vec3f;  // RGB, 0..255

/// Smooth noise in [0,1] over the plane: random values on a lattice, blended with a smooth step.
class Noise {
 public:
  explicit Noise(uint64_t seed) : seed_(seed) {}

  float at(float x, float y) const {
    const float fx = std::floor(x);
    const float fy = std::floor(y);
    const auto smooth = [](float t) { return t * t * (3 - 2 * t); };
    const float tx = smooth(x - fx);
    const float ty = smooth(y - fy);
    const auto ix = static_cast<int64_t>(fx);
    const auto iy = static_cast<int64_t>(fy);
    const float top = std::lerp(lattice(ix, iy), lattice(ix + 1, iy), tx);
    const float bottom = std::lerp(lattice(ix, iy + 1), lattice(ix + 1, iy + 1), tx);
    return std::lerp(top, bottom, ty);
  }

  /// Several octaves, in [0,1].
  float cloudy(float x, float y, int octaves) const {
    float sum = 0;
    float weight = 0.5F;
    float total = 0;
    for (int i = 0; i < octaves; ++i) {
      sum += weight * at(x, y);
      total += weight;
      weight *= 0.5F;
      x = 2 * x + 17.3F;
      y = 2 * y + 9.1F;
    }
    return sum / total;
  }

  float lattice(int64_t x, int64_t y) const {
    const uint64_t bits = Random::mix(
        seed_ ^ Random::mix(static_cast<uint64_t>(x) * 0x9e3779b97f4a7c15ull + static_cast<uint64_t>(y)));
    return static_cast<float>(bits >> 40) * 0x1.0p-24F;
  }

 private:
  uint64_t seed_;
};

Colour blend(const Colour& left, const Colour& right, float t) {
  return left * (1 - t) + right * t;
}

/// Position within a row of bricks, tiles or planks: which one, and how near its edge.
struct Cell {
  int64_t column;
  int64_t row;
  bool joint;
};

Cell cell_of(int x, int y, int width, int height, int joint, int shift) {
  const int row = y / height;
  const int moved = x + (row % 2) * shift;
  return {moved / width, row, moved % width < joint || y % height < joint};
}

Colour grass(const Noise& noise, float x, float y) {
  const float patchy = noise.cloudy(x / 60, y / 60, 3);
  const float blades = noise.at(x / 1.6F, y / 7);
  return blend({60, 120, 38}, {138, 186, 74}, 0.55F * patchy + 0.45F * blades);
}

Colour sand(const Noise& noise, float x, float y) {
  const float ripple = 0.5F + 0.5F * std::sin(y / 9 + 5 * noise.cloudy(x / 80, y / 80, 2));
  return blend({206, 176, 118}, {240, 218, 166},
               0.3F * ripple + 0.4F * noise.cloudy(x / 50, y / 50, 3) + 0.3F * noise.at(x, y));
}

Colour snow(const Noise& noise, float x, float y) {
  return blend({205, 220, 240}, {252, 253, 255},
               0.8F * noise.cloudy(x / 70, y / 40, 4) + 0.2F * noise.at(x, y) + 0.1F);
}

Colour water(const Noise& noise, float x, float y) {
  const float wave = std::sin(y / 6 + 6 * noise.cloudy(x / 60, y / 30, 3));
  const Colour base = blend({24, 92, 150}, {70, 150, 200}, noise.cloudy(x / 90, y / 40, 3));
  return wave > 0.75F ? blend(base, {190, 226, 244}, (wave - 0.75F) * 3) : base;
}

Colour road(const Noise& noise, float x, float y) {
  const Colour tar =
      blend({78, 78, 84}, {122, 122, 126}, 0.5F * noise.at(x, y) + 0.5F * noise.cloudy(x / 40, y / 40, 3));
  const int line = static_cast<int>(y) % 128;
  const bool dash = line >= 60 && line < 68 && static_cast<int>(x) % 96 < 56;
  return dash ? Colour{226, 222, 206} : tar;
}

Colour table(const Noise& noise, float x, float y) {
  const Cell plank = cell_of(static_cast<int>(x), static_cast<int>(y), 100'000, 56, 2, 0);
  const float tone = noise.lattice(7, plank.row);
  const float grain = noise.cloudy(x / 70, y / 4 + 40 * tone, 3);
  const Colour wood = blend({128, 80, 40}, {196, 140, 86}, 0.6F * grain + 0.4F * tone);
  return plank.joint ? wood * 0.6F : wood;
}

Colour tiles(const Noise& noise, float x, float y, int variant) {
  static const Colour kPairs[kTextureVariants][2] = {{{228, 228, 222}, {190, 202, 208}},
                                                     {{236, 226, 206}, {206, 182, 150}},
                                                     {{222, 234, 230}, {120, 168, 168}}};
  const Cell tile = cell_of(static_cast<int>(x), static_cast<int>(y), 48, 48, 3, 0);
  if (tile.joint) {
    return {142, 140, 136};
  }
  return kPairs[variant][(tile.column + tile.row) % 2] * (0.94F + 0.08F * noise.cloudy(x / 30, y / 30, 2));
}

Colour forest(const Noise& noise, float x, float y) {
  const Colour soil = blend({62, 44, 28}, {112, 84, 54}, noise.cloudy(x / 30, y / 30, 4));
  const float leaf = noise.at(x / 7 + 100, y / 5);
  if (leaf < 0.62F) {
    return soil;
  }
  const float kind = noise.at(x / 16, y / 16 + 50);
  return blend(soil,
               kind < 0.45F  ? Colour{72, 104, 44}
               : kind < 0.6F ? Colour{176, 112, 40}
                             : Colour{120, 76, 36},
               std::min(1.0F, (leaf - 0.62F) * 7));
}

Colour rug(const Noise& noise, float x, float y, int variant) {
  static const Colour kPairs[kTextureVariants][2] = {
      {{150, 40, 52}, {206, 160, 92}}, {{44, 62, 112}, {150, 166, 206}}, {{96, 52, 92}, {196, 150, 170}}};
  const float diamond =
      std::fabs(std::fmod(x + y, 64.0F) - 32) + std::fabs(std::fmod(x - y + 6400, 64.0F) - 32);
  const float weave = 0.88F + 0.12F * noise.at(x / 2, y / 2);
  return kPairs[variant][diamond > 40 ? 1 : 0] * weave;
}

Colour sky(const Noise& noise, float x, float y) {
  const Colour blue = blend({88, 150, 226}, {172, 212, 244}, y / kTextureSide);
  const float cloud = noise.cloudy(x / 110, y / 60, 4);
  return blend(blue, {250, 252, 255}, std::clamp((cloud - 0.55F) * 4, 0.0F, 0.8F));
}

Colour sunset(const Noise& noise, float x, float y) {
  const float t = y / kTextureSide;
  const Colour glow = t < 0.5F ? blend({104, 66, 128}, {236, 116, 92}, 2 * t)
                               : blend({236, 116, 92}, {252, 200, 104}, 2 * t - 1);
  const float streak = noise.cloudy(x / 140, y / 24, 3);
  return blend(glow, {255, 170, 140}, std::clamp((streak - 0.55F) * 2.5F, 0.0F, 0.5F));
}

Colour night(const Noise& noise, float x, float y) {
  const Colour dark =
      blend({10, 14, 40}, {34, 40, 84}, y / kTextureSide) * (0.8F + 0.4F * noise.cloudy(x / 90, y / 90, 3));
  const auto cell_x = static_cast<int64_t>(x) / 2;
  const auto cell_y = static_cast<int64_t>(y) / 2;
  const float star = noise.lattice(cell_x + 1000, cell_y);
  return star > 0.994F ? blend(dark, {240, 240, 220}, 0.5F + 80 * (star - 0.994F)) : dark;
}

Colour brick(const Noise& noise, float x, float y) {
  const Cell stone = cell_of(static_cast<int>(x), static_cast<int>(y), 52, 24, 3, 26);
  if (stone.joint) {
    return Colour{190, 182, 172} * (0.9F + 0.1F * noise.at(x, y));
  }
  const float tone = noise.lattice(stone.column, stone.row + 3);
  return blend({140, 56, 40}, {188, 98, 70}, 0.7F * tone + 0.3F * noise.cloudy(x / 8, y / 8, 2));
}

Colour wall(const Noise& noise, float x, float y, int variant) {
  static const Colour kPaints[kTextureVariants] = {{226, 214, 188}, {188, 208, 196}, {206, 200, 216}};
  return kPaints[variant] * (0.95F + 0.06F * noise.cloudy(x / 40, y / 40, 4));
}

Colour colour_of(Surface surface, int variant, const Noise& noise, float x, float y) {
  switch (surface) {
    case Surface::grass:
      return grass(noise, x, y);
    case Surface::sand:
      return sand(noise, x, y);
    case Surface::snow:
      return snow(noise, x, y);
    case Surface::water:
      return water(noise, x, y);
    case Surface::road:
      return road(noise, x, y);
    case Surface::table:
      return table(noise, x, y);
    case Surface::tiles:
      return tiles(noise, x, y, variant);
    case Surface::forest:
      return forest(noise, x, y);
    case Surface::rug:
      return rug(noise, x, y, variant);
    case Surface::sky:
      return sky(noise, x, y);
    case Surface::sunset:
      return sunset(noise, x, y);
    case Surface::night:
      return night(noise, x, y);
    case Surface::brick:
      return brick(noise, x, y);
    case Surface::wall:
      return wall(noise, x, y, variant);
  }
  return {};
}

}  // namespace

TextureSet::TextureSet(uint64_t seed) {
  for (int s = 0; s < kSurfaces; ++s) {
    for (int variant = 0; variant < kTextureVariants; ++variant) {
      const Noise noise(Random::mix(seed + static_cast<uint64_t>(s * kTextureVariants + variant)));
      cv::Mat& texture = textures_[static_cast<size_t>(s)][static_cast<size_t>(variant)];
      texture.create(kTextureSide, kTextureSide, CV_8UC3);
      for (int y = 0; y < kTextureSide; ++y) {
        for (int x = 0; x < kTextureSide; ++x) {
          const Colour colour = colour_of(static_cast<Surface>(s), variant, noise, static_cast<float>(x),
                                          static_cast<float>(y));
          texture.at<cv::Vec3b>(y, x) = {cv::saturate_cast<uchar>(colour[0]),
                                         cv::saturate_cast<uchar>(colour[1]),
                                         cv::saturate_cast<uchar>(colour[2])};
        }
      }
    }
  }
}

}  // namespace patchioner::emoji
