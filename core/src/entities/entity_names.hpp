// Vocabularies of entities: the names that may enter a hard prompt (spec/04 section 4).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace patchioner {

/// Which names of a vocabulary are used.
struct EntityNameOptions {
  bool single_words_only =
      false;  ///< names without white space alone (`disable_all_entities` of the reference)
};

/// Names in lower case, stripped, and sorted by code point, which is the order of the rows of their
/// embeddings. What the file is is told by its content: one name a line; a JSON list of names; a JSON object,
/// whose keys are the names, or those of its `object_count`; a CSV table with the column DisplayName (what
/// stands in brackets at the end of a name is left out); a pickle of the set `objects` -> `joint`, or of a
/// list or set of names. Throws Error: io, or data (checkpoint for a pickle) when the file is none of these,
/// has no names, an empty one, or one twice; those of the published pickle may be there twice, since its
/// embeddings count them so.
std::vector<std::string> read_entity_names(const std::filesystem::path& path,
                                           const EntityNameOptions& options = {});

}  // namespace patchioner
