// Automata that match lexical patterns: a nondeterministic one is built from the patterns, and the rows of
// the deterministic one are made when a text first needs them.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "metrics/lexical_pattern.hpp"

namespace patchioner {

/// Code units that no set of a grammar tells apart are of one class.
class UnitClasses {
 public:
  explicit UnitClasses(const std::vector<UnitRanges>& sets);
  uint16_t of(char16_t unit) const { return classes_[unit]; }
  size_t count() const { return count_; }
  bool contains(size_t set, uint16_t unit_class) const { return members_[set * count_ + unit_class] != 0; }

 private:
  std::vector<uint16_t> classes_;  ///< of each unit
  std::vector<uint8_t> members_;   ///< [sets,classes]
  size_t count_ = 0;
};

/// Matches several patterns at once. [one-thread]
class LexicalAutomaton {
 public:
  using State = uint32_t;
  static constexpr State kDead = 0;
  static constexpr int kNone = -1;

  /// The patterns from left to right, or, `reversed`, from right to left. `classes` must outlive it.
  LexicalAutomaton(const std::vector<LexicalPattern>& patterns, const UnitClasses& classes, bool reversed);

  /// To be called before each match; states of earlier matches mean nothing afterwards.
  State start();

  State next(State state, char16_t unit) {
    const uint16_t unit_class = classes_.of(unit);
    const State known = rows_[state * width_ + unit_class];
    return known != kUnknown ? known : make(state, unit_class);
  }

  /// The first pattern that ends in this state, or kNone.
  int accepted(State state) const { return accepted_[state]; }

 private:
  using Members = std::u32string;  ///< states of the nondeterministic automaton, ascending
  struct Node {
    static constexpr size_t kNoSet = SIZE_MAX;
    size_t set = kNoSet;  ///< on a unit of this set go to `target`
    uint32_t target = 0;
    int accepted = kNone;
    std::vector<uint32_t> also;  ///< states that one is in as well
  };
  static constexpr State kUnknown = UINT32_MAX;
  // Ordinary text needs some hundred states; what would grow beyond this many starts anew.
  static constexpr size_t kMostStates = 20000;

  uint32_t add_node();
  uint32_t build(const LexicalPattern& pattern, uint32_t from, bool reversed);
  void collect(uint32_t node, Members& members, std::vector<uint32_t>& seen, uint32_t mark) const;
  State make(State state, uint16_t unit_class);
  State state_of(Members members);
  void forget_states();

  const UnitClasses& classes_;
  size_t width_;
  std::vector<Node> nodes_;
  Members first_;
  std::vector<State> rows_;  ///< [states,classes]
  std::vector<int> accepted_;
  std::vector<Members> members_;
  std::unordered_map<Members, State> states_;
  std::vector<uint32_t> seen_;
  uint32_t mark_ = 0;
};

}  // namespace patchioner
