// The Penn Treebank tokenizer that caption scores are computed with, as a filter of one text (spec/05 section
// 2.2).
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/lexical_automaton.hpp"

namespace patchioner {

/// Exactly CoreNLP 3.4.1's `PTBTokenizer -preserveLines -lowerCase`, from a table of rules (ptb_rules.hpp).
/// Rows of its automata are made as texts need them, so that later texts go faster. [any-thread, one at a
/// time]
class PtbLexer {
 public:
  PtbLexer();

  /// The tokens of the text in lower case, joined by one space within a line of it and by line ends between
  /// lines. Bytes that are no UTF-8 count as U+FFFD, which is no token. Never fails.
  std::string tokens_of(std::string_view text) const;

 private:
  /// Where the token of a rule with something ahead ends.
  struct Ahead {
    std::optional<size_t> length;               ///< of what is ahead, when every match has the same
    std::unique_ptr<LexicalAutomaton> pattern;  ///< else: matches the token from its beginning on,
    std::unique_ptr<LexicalAutomaton> rest;     ///< and what is ahead from its end backwards
  };
  size_t token_length(size_t rule, std::u16string_view match) const;

  std::unique_ptr<UnitClasses> classes_;
  std::unique_ptr<LexicalAutomaton> rules_;
  std::vector<Ahead> ahead_;  ///< of each rule
  mutable std::mutex mutex_;  ///< held while a text is read: the automata grow
};

}  // namespace patchioner
