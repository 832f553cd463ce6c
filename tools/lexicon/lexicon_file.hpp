// The lexicon as it ships.
#pragma once

#include <filesystem>
#include <string>
#include <unordered_set>

#include "selection.hpp"

namespace patchioner::lexicon {

/// Nouns and plurals of a table of things (tools/emojiworld/objects.tsv: the second and fourth column) of one
/// to three words. Throws Error: io, or data.
Names names_of_things(const std::filesystem::path& table);

/// The names of a list, one a line, of one to three words. Throws an Error of kind io.
Names names_of_list(const std::filesystem::path& list);

/// The words of a text that are made of small letters, each once. Throws an Error of kind io.
std::unordered_set<std::string> words_of_text(const std::filesystem::path& text);

/// The JSON document that SceneGraphLexicon reads, words sorted and wrapped to lines.
std::string lexicon_document(const Names& entities, const Names& attributes);

}  // namespace patchioner::lexicon
