// Which words of WordNet name visible things, and which say what visible things are like.
#pragma once

#include <set>
#include <string>
#include <unordered_set>

#include "gloss_counts.hpp"
#include "wordnet.hpp"

namespace patchioner::lexicon {

using Names = std::set<std::string>;

/// All nouns of two or three words, with their plurals: what a choice wants counted.
std::unordered_set<std::string> phrases_of(const WordNet& net);

/// Names of visible things of one to three words, in the singular, and plurals of those that are used enough.
Names choose_entities(const WordNet& net, const GlossCounts& counts);

/// Adjectives that describe, whether they are rare or not those of `known`; and those of `entities` that
/// things are made of.
Names choose_attributes(const WordNet& net, const GlossCounts& counts, const Names& entities,
                        const std::unordered_set<std::string>& known);

}  // namespace patchioner::lexicon
