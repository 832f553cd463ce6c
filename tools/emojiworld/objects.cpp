#include "objects.hpp"

#include <array>
#include <charconv>
#include <fstream>
#include <patchioner/error.hpp>
#include <set>

#include "support/nearest_name.hpp"
#include "support/split.hpp"

namespace patchioner::emoji {
namespace {

constexpr std::array<std::string_view, kSurfaces> kSurfaceNames = {
    "grass",  "sand", "snow", "water",  "road",  "table", "tiles",
    "forest", "rug",  "sky",  "sunset", "night", "brick", "wall"};

constexpr std::array<Paint, kPaints> kPalette = {{{"red", 2, 1.0},
                                                  {"orange", 28, 0.9},
                                                  {"yellow", 52, 0.6},
                                                  {"green", 125, 1.0},
                                                  {"blue", 215, 1.0},
                                                  {"purple", 275, 1.0},
                                                  {"pink", 328, 0.65}}};

Surface surface_named(const std::string& name, const std::string& where) {
  for (int i = 0; i < kSurfaces; ++i) {
    if (kSurfaceNames[static_cast<size_t>(i)] == name) {
      return static_cast<Surface>(i);
    }
  }
  const std::vector<std::string> known(kSurfaceNames.begin(), kSurfaceNames.end());
  throw Error(ErrorKind::data, "{}: there is no place '{}'{}", where, name, suggestion(name, known));
}

Thing parse(const std::string& line, const std::string& where) {
  const std::vector<std::string> fields = split(line, '\t');
  if (fields.size() != 7) {
    throw Error(ErrorKind::data, "{}: {} fields separated by tabs, expected 7", where, fields.size());
  }
  Thing thing;
  const char* code_end = fields[0].data() + fields[0].size();
  if (std::from_chars(fields[0].data(), code_end, thing.code, 16).ptr != code_end || fields[0].empty()) {
    throw Error(ErrorKind::data, "{}: '{}' is no hexadecimal code point", where, fields[0]);
  }
  thing.noun = fields[1];
  thing.article = fields[2];
  thing.plural = fields[3];
  thing.category = fields[4];
  for (const std::string& place : split(fields[5], ',')) {
    thing.places.push_back(surface_named(place, where));
  }
  if (fields[6] != "yes" && fields[6] != "no") {
    throw Error(ErrorKind::data, "{}: the last field is '{}', expected yes or no", where, fields[6]);
  }
  thing.recolour = fields[6] == "yes";
  return thing;
}

}  // namespace

std::string_view name_of(Surface surface) {
  return kSurfaceNames[static_cast<size_t>(surface)];
}

bool is_ground(Surface surface) {
  return surface < Surface::sky;
}

const Paint& paint(int index) {
  return kPalette[static_cast<size_t>(index)];
}

std::vector<Thing> read_things(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) {
    throw Error(ErrorKind::io, "{}: cannot be opened; it lists the things of the emoji world", path.string());
  }
  std::vector<Thing> things;
  std::set<std::string> nouns;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const std::string where = fmt::format("{}:{}", path.string(), number);
    things.push_back(parse(line, where));
    if (!nouns.insert(things.back().noun).second) {
      throw Error(ErrorKind::data, "{}: '{}' was listed before", where, things.back().noun);
    }
  }
  if (things.empty()) {
    throw Error(ErrorKind::data, "{}: lists no thing", path.string());
  }
  return things;
}

}  // namespace patchioner::emoji
