#include "scoring/spice_base_form.hpp"

#include <algorithm>
#include <unordered_map>

#include "text/table_text.hpp"

namespace patchioner {
namespace {

// A base form a line, then forms that are not spelled by rule. First the irregular verbs of English, then
// verbs whose spelling the rules of this file would read wrongly, last words that are no verbs.
constexpr std::string_view kForms = R"(
be am is are was were been being
have has had having
do does did done
go goes went gone
bear bore borne
beat beaten
begin began begun
bend bent
bite bit bitten
blow blew blown
break broke broken
bring brought
build built
buy bought
catch caught
choose chose chosen
come came
deal dealt
dig dug
draw drew drawn
drink drank drunk
drive drove driven
eat ate eaten
fall fell fallen
feed fed
fight fought
find found
fly flew flown
freeze froze frozen
get got gotten
give gave given
grow grew grown
hang hung
hide hid hidden
hold held
keep kept
kneel knelt
lay laid laying
lead led
lean leant
leap leapt
leave left
lie lying lain
light lit
make made
meet met
pay paid
ride rode ridden
ring rang
rise rose risen
run ran
say said
see saw seen
sell sold
send sent
sew sewn
shake shook shaken
shine shone
shoot shot
show shown
sing sang sung
sit sat
sleep slept
slide slid
speak spoke spoken
spend spent
spin spun
stand stood
steal stole stolen
stick stuck
strike struck stricken
string strung
sweep swept
swim swam swum
swing swung
take took taken
teach taught
tear tore torn
tell told
think thought
throw threw thrown
wake woke woken
wear wore worn
weave wove woven
wind wound
write wrote written

add adding added
bathe bathing bathed
clothe clothing clothed
compete competing competed
complete completing completed
create creating created
die dying
excite exciting excited
explore exploring explored
focus focusing focused
free freed
guide guiding guided
invite inviting invited
paste pasting pasted
picnic picnicking picnicked
taste tasting tasted
tie tying
unite uniting united
waste wasting wasted

during during
including including
besides besides
indeed indeed
sideways sideways
always always
)";

std::unordered_map<std::string_view, std::string_view> read_forms() {
  std::unordered_map<std::string_view, std::string_view> bases;
  for (const std::string_view line : table_entries(kForms, "\n")) {
    const std::vector<std::string_view> words = table_entries(line, " ");
    for (size_t i = 1; i < words.size(); ++i) {
      bases.emplace(words[i], words[0]);
    }
  }
  return bases;
}

bool is_vowel(char letter) {
  return std::string_view("aeiou").find(letter) != std::string_view::npos;
}

bool is_consonant(char letter) {
  return letter >= 'a' && letter <= 'z' && !is_vowel(letter);
}

bool has_vowel(std::string_view stem) {
  return std::any_of(stem.begin(), stem.end(), [](char letter) { return is_vowel(letter) || letter == 'y'; });
}

bool has_ending(std::string_view word, std::string_view endings) {
  const std::vector<std::string_view> all = table_entries(endings, " ");
  return std::any_of(all.begin(), all.end(), [&](std::string_view ending) { return word.ends_with(ending); });
}

bool has_one_syllable(std::string_view stem) {
  size_t groups = 0;
  for (size_t i = 0; i < stem.size(); ++i) {
    groups += is_vowel(stem[i]) && (i == 0 || !is_vowel(stem[i - 1])) ? 1 : 0;
  }
  return groups == 1;
}

/// Whether an e was left out in front of -ing or -ed.
bool lost_an_e(std::string_view stem) {
  const char last = stem.back();
  const char before = stem[stem.size() - 2];
  if (has_ending(stem, "c v z u dg rg iev")) {
    return true;
  }
  if (last == 'g' && before == 'n') {
    return has_ending(stem, "chang rang oung lung") && stem != "rang";
  }
  if (last == 's') {
    return before != 's';  // "raise", "close", "rinse"
  }
  if (last == 'l' && is_consonant(before)) {
    return has_ending(stem, "bl cl dl fl gl kl pl tl zl");  // "handle", not "curl"
  }
  if (!is_consonant(last) || last == 'w' || last == 'x' || last == 'y' || !is_vowel(before)) {
    return false;
  }
  if (stem.size() > 2 && is_vowel(stem[stem.size() - 3])) {
    return false;  // "eat", "lean"
  }
  // A last consonant behind one vowel is doubled, unless an e follows it ("skate") or the syllable is weak.
  return has_one_syllable(stem) || !has_ending(stem, "er en on el il et it op om or ip ish");
}

/// What stands in front of -ing or -ed, as the verb is spelled.
std::string restored(std::string_view stem) {
  const size_t size = stem.size();
  if (size > 2 && stem[size - 1] == stem[size - 2] && is_consonant(stem[size - 1])) {
    const bool stays = std::string_view("lszf").find(stem[size - 1]) != std::string_view::npos;
    return std::string(stays ? stem : stem.substr(0, size - 1));  // "roll", "run"
  }
  return std::string(stem) + (lost_an_e(stem) ? "e" : "");
}

std::string without_s(std::string_view word) {
  if (word.ends_with("ies")) {
    return std::string(word.substr(0, word.size() - 3)) + (word.size() <= 4 ? "ie" : "y");
  }
  const bool two = has_ending(word, "sses shes ches xes zzes oes");
  return std::string(word.substr(0, word.size() - (two ? 2 : 1)));
}

}  // namespace

std::string verb_base_form(std::string_view word) {
  static const std::unordered_map<std::string_view, std::string_view> bases = read_forms();
  if (const auto found = bases.find(word); found != bases.end()) {
    return std::string(found->second);
  }
  constexpr size_t kShortestStem = 2;
  for (const std::string_view ending : {"ing", "ed"}) {
    if (word.size() < ending.size() + kShortestStem || !word.ends_with(ending)) {
      continue;
    }
    const std::string_view stem = word.substr(0, word.size() - ending.size());
    if (!has_vowel(stem) || word.ends_with("eed")) {
      break;  // "string", "shed", "feed"
    }
    if (ending == "ed" && stem.ends_with('i')) {
      return std::string(stem.substr(0, stem.size() - 1)) + (stem.size() <= 3 ? "ie" : "y");
    }
    return restored(stem);
  }
  constexpr size_t kShortestWithS = 4;
  if (word.size() >= kShortestWithS && word.ends_with('s') && !has_ending(word, "ss us is 's")) {
    return without_s(word);
  }
  return std::string(word);
}

}  // namespace patchioner
