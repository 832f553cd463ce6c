// What there is in the emoji world: things (objects.tsv), the surfaces and backdrops they stand on and in
// front of, and the colours that things with one main colour are painted in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace patchioner::emoji {

/// The surfaces (where things stand) and backdrops (what is behind them); the order is the order of the patch
/// classes.
enum class Surface {
  grass,
  sand,
  snow,
  water,
  road,
  table,
  tiles,
  forest,
  rug,
  sky,
  sunset,
  night,
  brick,
  wall
};
inline constexpr int kSurfaces = 14;
std::string_view name_of(Surface surface);

/// Whether a surface fills the lower part of a picture, with a backdrop above it.
bool is_ground(Surface surface);

/// Where a main colour is turned to. `hue` in degrees of the colour circle.
struct Paint {
  std::string_view name;
  double hue;
  double lift;  ///< exponent on the brightness: below 1 brightens (yellow and pink look brown and purple
                ///< otherwise)
};
inline constexpr int kPaints = 7;
const Paint& paint(int index);

/// One line of objects.tsv.
struct Thing {
  uint32_t code = 0;  ///< Unicode code point of the glyph
  std::string noun;
  std::string article;  ///< "a", "an", "some" or "the"
  std::string plural;
  std::string category;
  std::vector<Surface> places;
  bool recolour = false;  ///< has one main colour, which may be turned to another one
};

/// Reads objects.tsv; throws an Error of kind data that names the line for anything that is not as it should
/// be.
std::vector<Thing> read_things(const std::filesystem::path& path);

}  // namespace patchioner::emoji
