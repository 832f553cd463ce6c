#include "metrics/lexical_automaton.hpp"

#include <algorithm>
#include <map>

namespace patchioner {

UnitClasses::UnitClasses(const std::vector<UnitRanges>& sets) : classes_(size_t{1} << 16) {
  // Membership changes at the borders of ranges alone.
  std::vector<uint32_t> borders = {0, uint32_t{1} << 16};
  for (const UnitRanges& ranges : sets) {
    for (const auto& [first, last] : ranges) {
      borders.push_back(first);
      borders.push_back(uint32_t{last} + 1);
    }
  }
  std::sort(borders.begin(), borders.end());
  borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
  const auto place_of = [&](uint32_t border) {
    return static_cast<size_t>(std::lower_bound(borders.begin(), borders.end(), border) - borders.begin());
  };

  const size_t intervals = borders.size() - 1;
  std::vector<std::string> signatures(intervals, std::string(sets.size(), '\0'));
  for (size_t set = 0; set < sets.size(); ++set) {
    for (const auto& [first, last] : sets[set]) {
      for (size_t i = place_of(first), end = place_of(uint32_t{last} + 1); i < end; ++i) {
        signatures[i][set] = '\1';
      }
    }
  }
  std::map<std::string_view, uint16_t> known;
  for (size_t i = 0; i < intervals; ++i) {
    const auto number = known.emplace(signatures[i], static_cast<uint16_t>(known.size())).first->second;
    std::fill(classes_.begin() + borders[i], classes_.begin() + borders[i + 1], number);
  }
  count_ = known.size();
  members_.resize(sets.size() * count_);
  for (const auto& [signature, number] : known) {
    for (size_t set = 0; set < sets.size(); ++set) {
      members_[set * count_ + number] = static_cast<uint8_t>(signature[set]);
    }
  }
}

LexicalAutomaton::LexicalAutomaton(const std::vector<LexicalPattern>& patterns, const UnitClasses& classes,
                                   bool reversed)
    : classes_(classes), width_(classes.count()) {
  const uint32_t root = add_node();
  for (size_t i = 0; i < patterns.size(); ++i) {
    const uint32_t begin = add_node();
    nodes_[root].also.push_back(begin);
    const uint32_t end = build(patterns[i], begin, reversed);
    nodes_[end].accepted = static_cast<int>(i);
  }
  seen_.resize(nodes_.size());
  collect(root, first_, seen_, ++mark_);
  std::sort(first_.begin(), first_.end());
  forget_states();
}

uint32_t LexicalAutomaton::add_node() {
  nodes_.emplace_back();
  return static_cast<uint32_t>(nodes_.size() - 1);
}

uint32_t LexicalAutomaton::build(const LexicalPattern& pattern, uint32_t from, bool reversed) {
  const auto link = [&](uint32_t source, uint32_t target) { nodes_[source].also.push_back(target); };
  switch (pattern.kind) {
    case LexicalPattern::Kind::set: {
      const uint32_t here = add_node();
      const uint32_t to = add_node();
      link(from, here);
      nodes_[here].set = pattern.set;
      nodes_[here].target = to;
      return to;
    }
    case LexicalPattern::Kind::sequence: {
      uint32_t at = from;
      for (size_t i = 0; i < pattern.children.size(); ++i) {
        at = build(pattern.children[reversed ? pattern.children.size() - 1 - i : i], at, reversed);
      }
      return at;
    }
    case LexicalPattern::Kind::choice: {
      const uint32_t to = add_node();
      for (const LexicalPattern& child : pattern.children) {
        link(build(child, from, reversed), to);
      }
      return to;
    }
    case LexicalPattern::Kind::repeat: {
      const LexicalPattern& part = pattern.children.front();
      uint32_t at = from;
      for (size_t i = 0; i < pattern.least; ++i) {
        at = build(part, at, reversed);
      }
      const uint32_t to = add_node();
      link(at, to);
      if (!pattern.most) {
        const uint32_t loop = add_node();
        link(at, loop);
        const uint32_t end = build(part, loop, reversed);
        link(end, loop);
        link(end, to);
        return to;
      }
      for (size_t i = pattern.least; i < *pattern.most; ++i) {
        at = build(part, at, reversed);
        link(at, to);
      }
      return to;
    }
  }
  return from;
}

void LexicalAutomaton::collect(uint32_t node, Members& members, std::vector<uint32_t>& seen,
                               uint32_t mark) const {
  std::vector<uint32_t> open = {node};
  while (!open.empty()) {
    const uint32_t at = open.back();
    open.pop_back();
    if (seen[at] == mark) {
      continue;
    }
    seen[at] = mark;
    const Node& here = nodes_[at];
    if (here.set != Node::kNoSet || here.accepted != kNone) {
      members.push_back(at);
    }
    open.insert(open.end(), here.also.begin(), here.also.end());
  }
}

LexicalAutomaton::State LexicalAutomaton::start() {
  if (members_.size() > kMostStates) {
    forget_states();
  }
  return kDead + 1;
}

void LexicalAutomaton::forget_states() {
  rows_.clear();
  accepted_.clear();
  members_.clear();
  states_.clear();
  state_of({});      // kDead
  state_of(first_);  // the start
}

LexicalAutomaton::State LexicalAutomaton::state_of(Members members) {
  const auto [found, is_new] = states_.emplace(std::move(members), static_cast<State>(members_.size()));
  if (is_new) {
    members_.push_back(found->first);
    rows_.resize(rows_.size() + width_, found->first.empty() ? kDead : kUnknown);
    int accepted = kNone;
    for (const char32_t node : found->first) {
      const int pattern = nodes_[node].accepted;
      if (pattern != kNone && (accepted == kNone || pattern < accepted)) {
        accepted = pattern;
      }
    }
    accepted_.push_back(accepted);
  }
  return found->second;
}

LexicalAutomaton::State LexicalAutomaton::make(State state, uint16_t unit_class) {
  Members members;
  ++mark_;
  for (const char32_t at : members_[state]) {
    const Node& node = nodes_[at];
    if (node.set != Node::kNoSet && classes_.contains(node.set, unit_class)) {
      collect(node.target, members, seen_, mark_);
    }
  }
  std::sort(members.begin(), members.end());
  const State result = state_of(std::move(members));
  rows_[state * width_ + unit_class] = result;
  return result;
}

}  // namespace patchioner
