// Everything that scenes are made of, loaded once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "glyphs.hpp"
#include "objects.hpp"
#include "render.hpp"
#include "scene.hpp"
#include "textures.hpp"

namespace patchioner::emoji {

/// The seed that all shipped data and models were made with.
inline constexpr uint64_t kWorldSeed = 2026;

struct World {
  World(const std::filesystem::path& objects, const std::filesystem::path& font)
      : things(read_things(objects)),
        glyphs(font, things),
        textures(kWorldSeed),
        renderer(glyphs, textures) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  std::vector<Thing> things;
  GlyphSet glyphs;
  TextureSet textures;
  Renderer renderer;

  int thing_count() const { return static_cast<int>(things.size()); }
};

}  // namespace patchioner::emoji
