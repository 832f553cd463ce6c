// Scene graphs of captions by rules and a lexicon, the same on every machine (spec/04 section 12.2).
#pragma once

#include <string>
#include <string_view>

#include "entities/scene_graph_lexicon.hpp"

namespace patchioner {

/// Immutable; may be shared by threads.
class RuleParser {
 public:
  explicit RuleParser(SceneGraphLexicon lexicon) : lexicon_(std::move(lexicon)) {}

  /// "( man , sitting on , bench ) , ( bench , is , red )": attributes of things, and how each thing is
  /// related to the next one; "( man )" for a caption with one thing of which nothing is said; empty without
  /// things. Never fails: ill-formed UTF-8 is read as characters that are no words.
  std::string parse(std::string_view caption) const;

 private:
  SceneGraphLexicon lexicon_;
};

}  // namespace patchioner
