#include "scoring/spice_rule_tuples.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "entities/scene_graph.hpp"
#include "scoring/spice_base_form.hpp"
#include "support/split.hpp"
#include "text/table_text.hpp"

namespace patchioner {
namespace {

/// Digits that the parser writes, from 2 on, as SPICE names numbers.
constexpr std::array<const char*, 11> kNumbers = {"two",   "three", "four", "five",   "six",   "seven",
                                                  "eight", "nine",  "ten",  "eleven", "twelve"};

std::string number_in_words(const std::string& attribute) {
  for (size_t i = 0; i < kNumbers.size(); ++i) {
    if (attribute == std::to_string(i + 2)) {
      return kNumbers[i];
    }
  }
  return attribute;
}

/// Plurals that NounExtractor, which keeps to what ViECap was trained on, does not take apart.
constexpr std::array<std::array<std::string_view, 2>, 8> kPlurals = {{{"men", "man"},
                                                                      {"feet", "foot"},
                                                                      {"teeth", "tooth"},
                                                                      {"geese", "goose"},
                                                                      {"mice", "mouse"},
                                                                      {"knives", "knife"},
                                                                      {"wives", "wife"},
                                                                      {"lives", "life"}}};

/// Nouns that with "of" say how much there is of a thing. SPICE does the same for some of them, and the
/// lexicon has hardly any as things, so that they would be taken for parts of relations.
constexpr std::string_view kQuantities =
    "array assortment bit bunch bunches couple couples dozen dozens group groups handful kind kinds lot lots "
    "number pair pairs piece pieces pile piles row rows series set stack stacks type types variety";

std::string without_quantities(std::string_view caption) {
  static const std::vector<std::string_view> quantities = table_entries(kQuantities);  // sorted
  const std::vector<std::string_view> words = table_entries(caption);
  std::string result;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i + 1 < words.size() && words[i + 1] == "of" &&
        std::binary_search(quantities.begin(), quantities.end(), words[i])) {
      ++i;
    } else {
      result += (result.empty() ? "" : " ");
      result += words[i];
    }
  }
  return result;
}

/// A thing and the next one in a caption.
struct Link {
  std::string subject, relation, object;
  bool is_and = false;  ///< the things stand side by side; `relation` is empty
};

bool joins_clauses(std::string_view word) {
  return word == "and" || word == "but" || word == "while";
}

/// The verb and the preposition of the last clause, in base forms; empty when there is none.
std::string relation_of(std::string_view predicate) {
  std::string relation;
  for (const std::string_view word : table_entries(predicate, " ")) {
    if (joins_clauses(word)) {
      relation.clear();
    } else if (!word.ends_with("ly") || word == "fly") {
      relation += (relation.empty() ? "" : " ") + verb_base_form(word);
    }
  }
  return relation;
}

/// Gathers tuples in the order in which they are said.
class TupleList {
 public:
  void add(SpiceTuple tuple) {
    if (std::find(tuples_.begin(), tuples_.end(), tuple) == tuples_.end()) {
      tuples_.push_back(std::move(tuple));
    }
  }

  /// Relations, those shared by things side by side included.
  void add_relations(const std::vector<Link>& links) {
    for (size_t i = 0; i < links.size(); ++i) {
      const Link& link = links[i];
      if (!link.is_and) {
        add_relation(link.subject, link.object, link.relation);
        continue;
      }
      size_t end = i + 1;  // of the things side by side
      while (continues(links, end) && links[end].is_and) {
        ++end;
      }
      const Link* before = i > 0 && continues(links, i) ? &links[i - 1] : nullptr;
      const Link* after = continues(links, end) ? &links[end] : nullptr;
      for (size_t at = i; at < end; ++at) {
        if (before != nullptr && after == nullptr) {
          add_relation(before->subject, links[at].object, before->relation);
        } else if (after != nullptr && before == nullptr) {
          add_relation(links[at].subject, after->object, after->relation);
        }
      }
      i = end - 1;
    }
  }

  std::vector<SpiceTuple> take() { return std::move(tuples_); }

 private:
  /// Whether the link goes on where the one before it ended; the parser writes none twice.
  static bool continues(const std::vector<Link>& links, size_t i) {
    return i < links.size() && links[i].subject == links[i - 1].object;
  }

  void add_relation(const std::string& subject, const std::string& object, const std::string& relation) {
    if (!relation.empty()) {
      add({subject, object, relation});
    }
  }

  std::vector<SpiceTuple> tuples_;
};

}  // namespace

std::string SpiceRuleParser::singular(const std::string& name) const {
  const size_t last = name.find_last_of(' ') + 1;  // 0 without a space
  const std::string word = name.substr(last);
  std::string base = nouns_.lemma(word);
  if (base == word) {
    for (const auto& [plural, one] : kPlurals) {
      if (word == plural) {
        base = one;
      }
    }
    if (word.ends_with("oes")) {
      base.resize(base.size() - 2);
    }
  }
  return name.substr(0, last) + base;
}

std::vector<SpiceTuple> SpiceRuleParser::tuples(std::string_view caption) const {
  TupleList list;
  std::vector<Link> links;
  for (const std::string& segment : scene_graph_segments(parser_.parse(without_quantities(caption)))) {
    std::vector<std::string> fields;
    for (const std::string_view field : table_entries(segment, ",")) {
      const size_t begin = field.find_first_not_of(' ');
      fields.emplace_back(field.substr(begin, field.find_last_not_of(' ') + 1 - begin));
    }
    if (fields.empty()) {
      break;  // nothing was found
    }
    const std::string subject = singular(fields[0]);
    if (fields.size() < 3) {
      list.add({subject});
    } else if (fields[1] == "is") {
      list.add({subject});
      list.add({subject, number_in_words(fields[2])});
    } else {
      const std::string object = singular(fields[2]);
      list.add({subject});
      list.add({object});
      const std::string relation = relation_of(fields[1]);
      // "a table with chairs and covered by a cloth": the second clause is about the first one's subject.
      const bool goes_on = !relation.empty() && joins_clauses(fields[1].substr(0, fields[1].find(' '))) &&
                           !links.empty() && !links.back().is_and && links.back().object == subject;
      links.push_back({goes_on ? links.back().subject : subject, relation, object, relation.empty()});
    }
  }
  list.add_relations(links);
  return list.take();
}

}  // namespace patchioner
