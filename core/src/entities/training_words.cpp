#include "entities/training_words.hpp"

#include <string_view>
#include <unordered_set>

#include "text/table_text.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kPersonWords =
    "people person man men woman women adult boy girl kid children child baby guy player male female worker";

// English function words by their classes, and nouns that speak of the picture or of a place in it. Taggers
// take such words for nouns now and then, and vocabularies of names have some of them.
constexpr std::string_view kStopWords = R"(
i you he she it we they me him her us them my your his its our their mine yours hers ours theirs myself
yourself himself herself itself ourselves yourselves themselves
who whom whose which what whoever whatever whichever someone somebody something anyone anybody anything
everyone everybody everything none nobody nothing one other others another
a an the this that these those some any no every each either neither both all half few many much more most
several less least enough such same own various
two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred first second third
last next
about above across after against along among amongst around as at before behind below beneath beside besides
between beyond by down during except for from in inside into like near of off on onto out outside over past per
since through throughout to together toward towards under underneath until up upon via with within without
and but or nor so yet if because although though unless while whereas whether than
am is are was were be been being have has had having do does did doing done can could may might must shall
should will would ought get go keep make made put see seem seems show call take give
not only very too quite rather really just even still almost also again ever never always often once perhaps
well here there where everywhere nowhere somewhere elsewhere now then when whenever how why however therefore
alone apart away full empty
image picture photo photograph pic view background foreground front back side top bottom part amount
)";

std::unordered_set<std::string> set_of(std::string_view table) {
  std::unordered_set<std::string> words;
  for (const std::string_view word : table_entries(table)) {
    words.emplace(word);
  }
  return words;
}

}  // namespace

bool is_person_word(const std::string& word) {
  static const std::unordered_set<std::string> words = set_of(kPersonWords);
  return words.contains(word);
}

bool is_stop_word(const std::string& word) {
  static const std::unordered_set<std::string> words = set_of(kStopWords);
  return words.contains(word);
}

}  // namespace patchioner
