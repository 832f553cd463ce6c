#include "metrics/spice.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <patchioner/error.hpp>
#include <string_view>
#include <unordered_set>

#include "support/utf8.hpp"
#include "text/table_text.hpp"
#include "text/unicode.hpp"

namespace patchioner {
namespace {

// What SPICE 1.0 counts as numbers, colours and sizes.
constexpr const char* kNumbers = "one two three four five six seven eight nine ten";
constexpr const char* kColors =
    "beige black blue brown cream dark gray green grey light maroon orange pink purple red violet white "
    "yellow";
constexpr const char* kSizes = R"(
baby beefy big bony boundless brawny broad bulky chunky colossal compact corpulent cosmic cubby curvy elfin
emaciated endless enormous epic expansive extensive fat fleshy full-size gargantuan gaunt giant gigantic grand
great heavy hefty huge hulking illimitable immeasurable immense infinitesimal lanky large lean life-size
limitless little mammoth massive meager measly microscopic mini miniature minuscule minute narrow obese
outsized oversize overweight paltry petite pint-size plump pocket-size portly pudgy puny rotund scanty scraggy
scrawny short sizable skeletal skimpy skinny slender slim small squat stocky stout strapping sturdy tall teensy
teeny teeny-tiny teeny-weeny thick thickset thin tiny titanic towering trifling trim tubby undersized
underweight unlimited vast wee whopping wide
)";

template <class Value>
void add_all(std::vector<Value>& values, const std::vector<Value>& others) {
  std::vector<Value> united;
  std::set_union(values.begin(), values.end(), others.begin(), others.end(), std::back_inserter(united));
  values = std::move(united);
}

/// Words that mean the same, and the sets of synonyms that they are in, both ascending.
struct Concept {
  std::vector<std::string> words;
  std::vector<uint32_t> synsets;

  Concept(const std::string& text, const SynonymTable& synonyms) : words{text} {
    std::string key = encode_utf8(lower_case(trim(decode_utf8(text))));
    std::replace(key.begin(), key.end(), ' ', '_');
    synsets = synonyms.synsets_of(key);
  }

  bool operator==(const Concept&) const = default;

  void absorb(const Concept& other) {
    add_all(words, other.words);
    add_all(synsets, other.synsets);
  }

  std::string text() const { return fmt::format("{}", fmt::join(words, "/")); }
};

/// Of two ascending lists.
template <class Value>
size_t count_common(const std::vector<Value>& left, const std::vector<Value>& right) {
  size_t count = 0;
  for (auto a = left.begin(), b = right.begin(); a != left.end() && b != right.end();) {
    if (*a == *b) {
      ++count;
      ++a;
      ++b;
    } else if (*a < *b) {
      ++a;
    } else {
      ++b;
    }
  }
  return count;
}

bool are_alike(const Concept& left, const Concept& right) {
  return count_common(left.synsets, right.synsets) > 0 || count_common(left.words, right.words) > 0;
}

/// 1 with a word in common, otherwise the part of all their sets that is in both.
float similarity(const Concept& left, const Concept& right) {
  if (count_common(left.words, right.words) > 0) {
    return 1;
  }
  const size_t common = count_common(left.synsets, right.synsets);
  const size_t all = left.synsets.size() + right.synsets.size() - common;
  return all == 0 ? 0 : static_cast<float>(common) / static_cast<float>(all);
}

/// Adds a concept to a list: an equal one is there, the first alike absorbs it, or it is new.
template <class Items, class Made, class Equal, class Alike>
void merge_into(Items& items, Made&& made, Equal&& is_equal, Alike&& is_alike) {
  if (std::any_of(items.begin(), items.end(), is_equal)) {
    return;
  }
  const auto found = std::find_if(items.begin(), items.end(), is_alike);
  if (found != items.end()) {
    found->name.absorb(made.name);
  } else {
    items.push_back(std::forward<Made>(made));
  }
}

/// What a side says of an image.
class Scene {
 public:
  explicit Scene(const SynonymTable& synonyms) : synonyms_(synonyms) {}

  void add(const SpiceTuple& tuple) {
    const size_t subject = node(tuple[0]);
    if (tuple.size() == 2) {
      Attribute made{Concept(tuple[1], synonyms_)};
      merge_into(
          nodes_[subject].attributes, made, [&](const Attribute& a) { return a.name == made.name; },
          [&](const Attribute& a) { return are_alike(a.name, made.name); });
    } else if (tuple.size() == 3) {
      add_relation(subject, node(tuple[1]), tuple[2]);
    }
  }

  /// (object), (object, attribute), (subject, relation, object).
  std::vector<std::vector<Concept>> tuples() const {
    std::vector<std::vector<Concept>> result;
    for (const Node& node : nodes_) {
      result.push_back({node.name});
      for (const Attribute& attribute : node.attributes) {
        result.push_back({node.name, attribute.name});
      }
    }
    for (const Relation& relation : relations_) {
      result.push_back({nodes_[relation.source].name, relation.name, nodes_[relation.target].name});
    }
    return result;
  }

 private:
  struct Attribute {
    Concept name;
  };
  struct Node {
    Concept name;
    std::vector<Attribute> attributes;
  };
  struct Relation {
    Concept name;
    size_t source, target;
  };

  size_t node(const std::string& text) {
    Concept made(text, synonyms_);
    size_t best = nodes_.size();
    float most = 0;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].name == made) {
        return i;
      }
      const float alike = similarity(made, nodes_[i].name);
      if (alike > most) {
        most = alike;
        best = i;
      }
    }
    if (best < nodes_.size()) {
      nodes_[best].name.absorb(made);
      return best;
    }
    nodes_.push_back({std::move(made), {}});
    return nodes_.size() - 1;
  }

  void add_relation(size_t source, size_t target, const std::string& text) {
    constexpr std::string_view kBe = "be ";
    Relation made{Concept(text.starts_with(kBe) ? text.substr(kBe.size()) : text, synonyms_), source, target};
    const auto has_ends = [&](const Relation& r) { return r.source == source && r.target == target; };
    merge_into(
        relations_, made, [&](const Relation& r) { return has_ends(r) && r.name == made.name; },
        [&](const Relation& r) { return has_ends(r) && are_alike(r.name, made.name); });
  }

  const SynonymTable& synonyms_;
  std::vector<Node> nodes_;
  std::vector<Relation> relations_;
};

using ConceptTuples = std::vector<std::vector<Concept>>;

ConceptTuples merged(const std::vector<SpiceTuple>& tuples, const std::string& id,
                     const SynonymTable& synonyms) {
  Scene scene(synonyms);
  for (const SpiceTuple& tuple : tuples) {
    if (tuple.empty() || tuple.size() > 3) {
      throw Error(ErrorKind::data,
                  "{}: a tuple of SPICE has {} parts; expected [object], [object, attribute] or [subject, "
                  "object, relation]",
                  id, tuple.size());
    }
    scene.add(tuple);
  }
  return scene.tuples();
}

bool are_alike(const std::vector<Concept>& left, const std::vector<Concept>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const Concept& a, const Concept& b) { return are_alike(a, b); });
}

/// Words of a category compare with an attribute as it is printed, so that a merged one is in none.
bool is_one_of(const SpiceGraphTuple& tuple, const std::unordered_set<std::string_view>& words) {
  return tuple.parts.size() == 2 && words.contains(tuple.parts[1]);
}

std::unordered_set<std::string_view> set_of(const char* table) {
  const std::vector<std::string_view> entries = table_entries(table);
  return {entries.begin(), entries.end()};
}

bool is_in(const SpiceGraphTuple& tuple, SpiceCategory category) {
  static const std::unordered_set<std::string_view> numbers = set_of(kNumbers);
  static const std::unordered_set<std::string_view> colors = set_of(kColors);
  static const std::unordered_set<std::string_view> sizes = set_of(kSizes);
  switch (category) {
    case SpiceCategory::all:
      return true;
    case SpiceCategory::object:
      return tuple.parts.size() == 1;
    case SpiceCategory::attribute:
      return tuple.parts.size() == 2;
    case SpiceCategory::relation:
      return tuple.parts.size() == 3;
    case SpiceCategory::cardinality:
      return is_one_of(tuple, numbers);
    case SpiceCategory::color:
      return is_one_of(tuple, colors);
    case SpiceCategory::size:
      return is_one_of(tuple, sizes);
  }
  return false;
}

/// A tuple of a merged graph beside what it is printed as.
struct GraphTuple {
  std::vector<Concept> parts;
  SpiceGraphTuple printed;
};

/// In the order of what is printed, which decides which reference tuple a tuple matches first.
std::vector<GraphTuple> sorted(ConceptTuples tuples) {
  std::vector<GraphTuple> result;
  for (std::vector<Concept>& tuple : tuples) {
    GraphTuple made{.parts = std::move(tuple), .printed = {}};
    for (const Concept& part : made.parts) {
      made.printed.parts.push_back(part.text());
    }
    result.push_back(std::move(made));
  }
  std::sort(result.begin(), result.end(), [](const GraphTuple& left, const GraphTuple& right) {
    return left.printed.parts < right.printed.parts;
  });
  return result;
}

/// Matches the tuples of a category with each other, and marks those that did; several may match the same one
/// of the references.
SpiceScore score_of(std::vector<GraphTuple>& candidate, std::vector<GraphTuple>& references,
                    SpiceCategory category) {
  for (GraphTuple& reference : references) {
    reference.printed.is_matched = false;
  }
  SpiceScore score;
  for (GraphTuple& tuple : candidate) {
    if (!is_in(tuple.printed, category)) {
      continue;
    }
    const auto found = std::find_if(references.begin(), references.end(), [&](const GraphTuple& reference) {
      return is_in(reference.printed, category) && are_alike(tuple.parts, reference.parts);
    });
    tuple.printed.is_matched = found != references.end();
    if (found != references.end()) {
      found->printed.is_matched = true;
    }
    (tuple.printed.is_matched ? score.true_positives : score.false_positives) += 1;
  }
  const auto wanted = std::count_if(references.begin(), references.end(), [&](const GraphTuple& reference) {
    return is_in(reference.printed, category);
  });
  score.false_negatives = wanted - score.true_positives;
  if (wanted == 0 && category != SpiceCategory::all) {
    score.precision = score.recall = score.f = std::numeric_limits<double>::quiet_NaN();
    return score;
  }
  const auto ratio = [&](int64_t all) {
    return all == 0 ? 0 : static_cast<double>(score.true_positives) / static_cast<double>(all);
  };
  score.precision = ratio(score.true_positives + score.false_positives);
  score.recall = ratio(wanted);
  const double sum = score.precision + score.recall;
  score.f = sum > 0 ? 2 * score.precision * score.recall / sum : 0;
  return score;
}

}  // namespace

SpiceResult spice_score(const SpiceItem& item, const SynonymTable& synonyms) {
  std::vector<GraphTuple> candidate = sorted(merged(item.candidate, item.id, synonyms));
  std::vector<GraphTuple> references = sorted(merged(item.references, item.id, synonyms));
  SpiceResult result;
  for (size_t i = result.scores.size(); i-- > 0;) {  // all tuples last, so that their marks stay
    result.scores[i] = score_of(candidate, references, static_cast<SpiceCategory>(i));
  }
  for (const GraphTuple& tuple : candidate) {
    result.candidate.push_back(tuple.printed);
  }
  for (const GraphTuple& tuple : references) {
    result.references.push_back(tuple.printed);
  }
  return result;
}

}  // namespace patchioner
