// The lexicon that comes with the program: models/lexicon, built by tools/lexicon.
#pragma once

#include <filesystem>

namespace patchioner {

/// models/lexicon/scene_graph_lexicon.json: beside the folder of configs that PATCHIONER_CONFIGS names, in
/// the tree that the program was built in, or in PREFIX/share/patchioner where the program is PREFIX/bin's.
/// Throws an Error of kind config when it is in none of these.
std::filesystem::path shipped_lexicon();

/// The same for a program of this path.
std::filesystem::path shipped_lexicon(const std::filesystem::path& program);

}  // namespace patchioner
