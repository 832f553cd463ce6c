// The lines of the text corpus.
#pragma once

#include <string>
#include <vector>

#include "world.hpp"

namespace patchioner::emoji {

struct CorpusLine {
  int scene = 0;
  std::string text;
};

/// Captions, phrases and set captions of training scenes; nothing that is held out is in them.
std::vector<CorpusLine> corpus_lines(const World& world);

}  // namespace patchioner::emoji
