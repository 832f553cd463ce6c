// What SPICE compares, found by the rule parser: SPICE(rules) (spec/05 section 7.3, spec/04 section 12.2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "entities/rule_parser.hpp"
#include "entities/training_entities.hpp"
#include "metrics/spice.hpp"

namespace patchioner {

/// Immutable; may be shared by threads.
class SpiceRuleParser {
 public:
  explicit SpiceRuleParser(const SceneGraphLexicon& lexicon) : parser_(lexicon), nouns_(lexicon) {}

  /// The tuples of one caption: things in the singular, numbers in words, verbs of relations in their base
  /// form, "a group of" and its like left out. What the parser joins by "and" is no relation; such things
  /// share the relation of the one that stands next to it ("a man with a hat and a bag"), where only one side
  /// has one. Never fails.
  std::vector<SpiceTuple> tuples(std::string_view caption) const;

 private:
  /// The name with its last word in the singular.
  std::string singular(const std::string& name) const;

  RuleParser parser_;
  NounExtractor nouns_;
};

}  // namespace patchioner
