// SPICE of captions: scene graphs from where the options say, matched as SPICE does (spec/05 section 7).
#pragma once

#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "metrics/caption_scores.hpp"

namespace patchioner {

enum class SpiceBackend {
  rules,   ///< the rule parser and the lexicon that ships, on both sides: called "SPICE(rules)"
  tuples,  ///< scene graphs of a file, whoever parsed them: called "SPICE(tuples)"
  java,    ///< the original program: called "SPICE"
};
/// "rules", "tuples", "java". Throws an Error of kind usage for any other word.
SpiceBackend spice_backend_from(std::string_view word);

struct SpiceOptions {
  SpiceBackend backend = SpiceBackend::rules;
  std::filesystem::path
      tuples;                  ///< JSON: [{"image_id", "test": tuples, "refs": tuples}] (docs/evaluation.md)
  std::filesystem::path jar;   ///< spice-1.0.jar with its lib folder
  MeteorDataOptions synonyms;  ///< where WordNet's sets come from
};

struct SpiceScores {
  CaptionScores all;  ///< F of all tuples
  /// "Object", "Attribute", "Relation", "Cardinality", "Color", "Size": not a number for items whose
  /// references have no such tuple; the corpus value is the mean of the others', as SPICE's own.
  std::vector<CaptionScores> categories;
};

/// The corpus value is the plain mean of the items', as SPICE's. `words` are the captions tokenised
/// (score_words), parallel to `captions`. The metric's note says when synonyms are missing. Throws Error:
/// config when a backend lacks its file or Java is of a version that SPICE cannot run in; data, naming ids,
/// for tuples that are absent or broken, when the program fails, and when there are no captions; io, also
/// for synonyms that are named and not there. [any-thread]
SpiceScores spice_scores(std::span<const ScoredCaption> captions, std::span<const Segment> words,
                         const SpiceOptions& options);

/// What can be known before there are captions. Throws Error as spice_scores does for files, synonyms and
/// Java.
void check_spice(const SpiceOptions& options);

}  // namespace patchioner
