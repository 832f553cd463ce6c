// Words that are facts of English rather than of any corpus: its closed classes, as far as the rules of the
// parser ask for them.
#pragma once

#include <map>
#include <string>
#include <unordered_set>

namespace patchioner::lexicon {

using Words = std::unordered_set<std::string>;

/// Determiners, quantifiers, prepositions, particles, adverbs and numerals, which WordNet lists as adjectives
/// too: no attributes.
const Words& function_words();

/// Nouns that say where something is or how much of it ("side", "bunch"), and words that are nouns only
/// rarely
/// ("can"): no things.
const Words& words_about_things();

/// What a word is read as: other spellings of one name, and "guy" for a person.
const std::map<std::string, std::string>& aliases();

/// Numerals that say how many things there are, as digits.
const std::map<std::string, std::string>& numbers();

/// Forms of "be" behind which attributes stand.
const Words& copulas();

/// What may stand between a copula and attributes.
const Words& degree_words();

/// What is no part of a relation: articles, pronouns, forms of "be".
const Words& words_without_relation();

}  // namespace patchioner::lexicon
