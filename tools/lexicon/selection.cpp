#include "selection.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "closed_classes.hpp"
#include "support/split.hpp"

namespace patchioner::lexicon {
namespace {

// The thresholds were chosen on the sample that README.md of models/lexicon speaks of; scores hardly depend
// on them within a factor of two.
constexpr double kVisibleShare = 0.1;  // of a noun's uses that name something visible
constexpr double kFirstSense = 1;      // what a sense weighs beside its counted uses
constexpr double kLaterSense = 0.5;
constexpr int64_t kUsesOfFoodAndPersons = 2;  // fewest in glosses and tagged texts; artifacts need none
constexpr int64_t kUsesOfOthers = 8;
constexpr int64_t kUsesOfBranches = 10;  // kinds of which only branches are visible
constexpr int64_t kUsesOfPhrases = 2;
constexpr int64_t kUsesForPlurals = 8;  // of a singular whose plural is never used
constexpr int64_t kVerbsPerNoun = 8;    // at most, or the noun is not meant
constexpr int64_t kAdjectivesPerNoun = 2;
constexpr int64_t kUsesOfAdjectives = 6;
constexpr int64_t kUsesOfMaterials = 20;

struct Sense {
  const char* word;
  size_t number;  ///< counted from 1
};

/// Kinds of which everything can be seen.
bool is_visible_kind(Kind kind) {
  switch (kind) {
    case Kind::animal:
    case Kind::artifact:
    case Kind::body:
    case Kind::food:
    case Kind::object:
    case Kind::person:
    case Kind::plant:
    case Kind::substance:
      return true;
    default:
      return false;
  }
}

/// Kinds of which something can be seen: what lies below kVisibleBranches.
bool has_visible_branches(Kind kind) {
  switch (kind) {
    case Kind::tops:
    case Kind::act:
    case Kind::attribute:
    case Kind::cognition:
    case Kind::communication:
    case Kind::event:
    case Kind::group:
    case Kind::location:
    case Kind::phenomenon:
    case Kind::shape:
      return true;
    default:
      return false;
  }
}

constexpr std::array<Sense, 18> kVisibleBranches = {{{"people", 1},
                                                     {"animal_group", 1},
                                                     {"gathering", 1},
                                                     {"family", 2},
                                                     {"team", 1},
                                                     {"collection", 1},
                                                     {"writing", 2},
                                                     {"written_symbol", 1},
                                                     {"signal", 1},
                                                     {"visual_communication", 1},
                                                     {"indication", 1},
                                                     {"physical_phenomenon", 1},
                                                     {"shape", 2},
                                                     {"wave", 1},
                                                     {"sport", 1},
                                                     {"object", 1},
                                                     {"matter", 3},
                                                     {"background", 1}}};

/// What things are made of; said before their names like an adjective ("brick wall").
constexpr std::array<Sense, 4> kMaterials = {
    {{"material", 1}, {"building_material", 1}, {"fabric", 1}, {"rock", 2}}};

template <size_t Size>
std::set<int64_t> offsets_of(const WordNet& net, const std::array<Sense, Size>& senses) {
  std::set<int64_t> offsets;
  for (const auto& [word, number] : senses) {
    offsets.insert(net.noun_sense(word, number));
  }
  return offsets;
}

bool is_name(const std::string& word) {
  return word.size() > 2 && std::all_of(word.begin(), word.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || c == '_' || c == '-';
         });
}

std::string spaced(std::string word) {
  std::replace(word.begin(), word.end(), '_', ' ');
  return word;
}

std::string underscored(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

/// "a_battery", "or_circuit": captions would say that of something else.
bool begins_with_article(const std::string& name) {
  const std::string first = name.substr(0, name.find(' '));
  return first == "a" || first == "an" || first == "the" || first == "or" || first == "and";
}

/// The verb that a word in -ing is a form of.
std::optional<std::string> verb_of_ing(const WordNet& net, const std::string& word) {
  if (!word.ends_with("ing")) {
    return std::nullopt;
  }
  const std::string stem = word.substr(0, word.size() - 3);
  std::vector<std::string> verbs = {stem, stem + "e"};
  if (stem.size() > 2 && stem[stem.size() - 1] == stem[stem.size() - 2]) {
    verbs.push_back(stem.substr(0, stem.size() - 1));  // running
  }
  const auto found = std::find_if(verbs.begin(), verbs.end(),
                                  [&](const std::string& verb) { return net.has(Part::verb, verb); });
  return found == verbs.end() ? std::nullopt : std::optional(*found);
}

class EntityChoice {
 public:
  EntityChoice(const WordNet& net, const GlossCounts& counts)
      : net_(net), counts_(counts), branches_(offsets_of(net, kVisibleBranches)) {}

  Names names() const {
    Names singulars;
    for (const auto& [word, senses] : net_.words(Part::noun)) {
      if (is_name(word) && std::count(word.begin(), word.end(), '_') < 3 && is_entity(word, senses)) {
        singulars.insert(spaced(word));
      }
    }
    std::unordered_set<std::string> plurals;
    for (const std::string& name : singulars) {
      plurals.insert(net_.plural(name));
    }
    Names all = singulars;
    for (const std::string& name : singulars) {
      // Some plurals are words of WordNet too ("arms"). The few without an s are other words as well
      // ("cola").
      const bool is_plural = name.ends_with('s') && plurals.contains(name);
      if (!is_plural && has_plural(name)) {
        all.insert(net_.plural(name));
      }
    }
    return all;
  }

 private:
  bool is_visible(int64_t offset) const {
    const Synset& synset = net_.noun(offset);
    return !synset.is_insult && (is_visible_kind(synset.kind) ||
                                 (has_visible_branches(synset.kind) && net_.is_below(offset, branches_)));
  }

  bool is_entity(const std::string& word, const std::vector<int64_t>& senses) const {
    std::vector<int64_t> visible;
    double visible_weight = 0;
    double weight = 0;
    for (size_t i = 0; i < senses.size(); ++i) {
      const double uses =
          static_cast<double>(net_.uses(Part::noun, word, i)) + (i == 0 ? kFirstSense : kLaterSense);
      weight += uses;
      if (is_visible(senses[i])) {
        visible.push_back(senses[i]);
        visible_weight += uses;
      }
    }
    if (visible_weight < kVisibleShare * weight || is_proper_name(word, visible) ||
        words_about_things().contains(word)) {
      return false;
    }
    return word.find('_') == std::string::npos ? is_used_noun(word, visible) : is_used_phrase(word, visible);
  }

  /// Whether all visible senses are single things, or are written with a capital; of those, brands of things
  /// ("Frisbee") and breeds are names all the same.
  bool is_proper_name(const std::string& word, const std::vector<int64_t>& visible) const {
    return std::all_of(visible.begin(), visible.end(), [&](int64_t offset) {
      const Synset& synset = net_.noun(offset);
      if (synset.is_instance) {
        return true;
      }
      const bool written_small =
          std::find(synset.words.begin(), synset.words.end(), word) != synset.words.end();
      return !written_small && synset.kind != Kind::animal && synset.kind != Kind::artifact &&
             synset.kind != Kind::food;
    });
  }

  int64_t fewest_uses(const std::vector<int64_t>& visible) const {
    int64_t fewest = kUsesOfBranches;
    for (const int64_t offset : visible) {
      const Kind kind = net_.noun(offset).kind;
      if (kind == Kind::artifact) {
        return 0;
      }
      if (kind == Kind::food || kind == Kind::person) {
        fewest = std::min(fewest, kUsesOfFoodAndPersons);
      } else if (is_visible_kind(kind)) {
        fewest = std::min(fewest, kUsesOfOthers);
      }
    }
    return fewest;
  }

  bool is_used_noun(const std::string& word, const std::vector<int64_t>& visible) const {
    const int64_t nouns = net_.uses(Part::noun, word);
    if (counts_.of(word) + counts_.of(net_.plural(word)) + 2 * nouns < fewest_uses(visible)) {
      return false;
    }
    const int64_t verbs = net_.uses(Part::verb, word);
    const int64_t likely_nouns = nouns + counts_.as_singular_noun(word);
    const int64_t adjectives = net_.uses(Part::adjective, word) + net_.uses(Part::adverb, word);
    if (verbs > kVerbsPerNoun * (likely_nouns + 2) || adjectives > kAdjectivesPerNoun * (nouns + 1)) {
      return false;
    }
    const auto verb = verb_of_ing(net_, word);
    if (!verb) {
      return true;
    }
    // "building" is a thing, "hanging" hardly.
    const bool is_thing = std::any_of(visible.begin(), visible.end(), [&](int64_t offset) {
      return is_visible_kind(net_.noun(offset).kind);
    });
    return is_thing && net_.uses(Part::verb, *verb) + verbs <= 4 * likely_nouns + 1;
  }

  bool is_used_phrase(const std::string& word, const std::vector<int64_t>& visible) const {
    const std::string name = spaced(word);
    const bool artifact = std::any_of(visible.begin(), visible.end(), [&](int64_t offset) {
      return net_.noun(offset).kind == Kind::artifact;
    });
    const int64_t uses = counts_.of(name) + counts_.of(net_.plural(name)) + net_.uses(Part::noun, word);
    return !begins_with_article(name) && uses >= (artifact ? 1 : kUsesOfPhrases) && !is_described(word);
  }

  /// Whether a name is an adjective and what it is a kind of ("young_girl"): the parser sees that by itself.
  bool is_described(const std::string& word) const {
    const std::vector<std::string> words = split(word, '_');
    if (words.size() != 2 || !net_.has(Part::adjective, words[0])) {
      return false;
    }
    const auto names_head = [&](int64_t offset) {
      const std::vector<std::string>& synonyms = net_.noun(offset).words;
      return std::find(synonyms.begin(), synonyms.end(), words[1]) != synonyms.end();
    };
    const std::vector<int64_t>& senses = net_.words(Part::noun).at(word);
    return std::any_of(senses.begin(), senses.end(), [&](int64_t offset) {
      const std::vector<int64_t>& above = net_.noun(offset).hypernyms;
      return names_head(offset) || std::any_of(above.begin(), above.end(), names_head);
    });
  }

  /// Rare plurals take room, and those that look like verbs ("pokes") do harm.
  bool has_plural(const std::string& name) const {
    const std::string plural = net_.plural(name);
    const std::string word = underscored(name);
    const int64_t nouns = net_.uses(Part::noun, word);
    if (counts_.of(plural) == 0 && counts_.of(name) + 2 * nouns < kUsesForPlurals) {
      return false;
    }
    return net_.uses(Part::verb, word) <= 2 * (nouns + counts_.as_plural_noun(plural)) + 2;
  }

  const WordNet& net_;
  const GlossCounts& counts_;
  std::set<int64_t> branches_;
};

}  // namespace

std::unordered_set<std::string> phrases_of(const WordNet& net) {
  std::unordered_set<std::string> phrases;
  for (const auto& [word, senses] : net.words(Part::noun)) {
    if (const auto spaces = std::count(word.begin(), word.end(), '_'); spaces == 1 || spaces == 2) {
      phrases.insert(spaced(word));
      phrases.insert(net.plural(spaced(word)));
    }
  }
  return phrases;
}

Names choose_entities(const WordNet& net, const GlossCounts& counts) {
  return EntityChoice(net, counts).names();
}

Names choose_attributes(const WordNet& net, const GlossCounts& counts, const Names& entities,
                        const std::unordered_set<std::string>& known) {
  Names attributes;
  for (const auto& [word, senses] : net.words(Part::adjective)) {
    const int64_t uses = net.uses(Part::adjective, word);
    if (is_name(word) && word.find('_') == std::string::npos && !function_words().contains(word) &&
        (known.contains(word) || counts.of(word) + 2 * uses >= kUsesOfAdjectives) &&
        !verb_of_ing(net, word) && net.uses(Part::adverb, word) <= uses + 1) {
      attributes.insert(word);
    }
  }
  const std::set<int64_t> materials = offsets_of(net, kMaterials);
  for (const std::string& name : entities) {
    const auto senses =
        net.words(Part::noun).find(name);  // names of several words and plurals are no words of it
    if (senses == net.words(Part::noun).end() || counts.of(name) < kUsesOfMaterials) {
      continue;
    }
    const auto end =
        senses->second.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(2, senses->second.size()));
    if (std::any_of(senses->second.begin(), end,
                    [&](int64_t offset) { return net.is_below(offset, materials); })) {
      attributes.insert(name);
    }
  }
  return attributes;
}

}  // namespace patchioner::lexicon
