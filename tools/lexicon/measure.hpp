// How well the rule parser finds what people found in captions.
#pragma once

#include <cstdint>
#include <filesystem>

#include "entities/scene_graph_lexicon.hpp"

namespace patchioner::lexicon {

/// What was found of what is there.
struct Score {
  int64_t found = 0;
  int64_t wanted = 0;
  int64_t right = 0;

  double precision() const {
    return found == 0 ? 0 : static_cast<double>(right) / static_cast<double>(found);
  }
  double recall() const { return wanted == 0 ? 0 : static_cast<double>(right) / static_cast<double>(wanted); }
};

struct Measure {
  int64_t captions = 0;
  Score entities;    ///< names, each once a caption
  Score attributes;  ///< pairs of a name and what it is like
};

/// Over a file of JSON lines with "caption" and "scene_graph" (FACTUAL's notation). Throws Error: io, or
/// data.
Measure measure_parser(const SceneGraphLexicon& lexicon, const std::filesystem::path& file);

}  // namespace patchioner::lexicon
