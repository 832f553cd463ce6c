#include "data/narrator_rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "support/split.hpp"

namespace patchioner {
namespace {

// A pattern is words with spaces between: "a|b" is either of two, "[a|b]" may be missing, "*" is any word,
// "$be", "$picture" and "$side" are any of their class.

struct Word {
  std::string text;   ///< as it was said, punctuation included
  std::string lower;  ///< without punctuation at its ends
};
using Words = std::vector<Word>;

constexpr size_t kNoMatch = static_cast<size_t>(-1);

// Classes of words that patterns name.
constexpr std::string_view kPicture = "image|picture|photo|photograph|pic|frame|scene|view";
constexpr std::string_view kBe = "is|are|was|were";
/// Where something is in a picture, rather than in the world.
constexpr std::string_view kSide =
    "left|right|top|bottom|middle|center|centre|back|front|foreground|background|backdrop|corner|corners|"
    "side|sides|edge|ground|end";

/// Taken away wherever they stand.
constexpr std::array kAnywhere = {
    "in|of|on|from|within|inside|across|throughout the|this|that [given] $picture",
    "in|of the whole|entire $picture",
    "you know",
    "kind|sort of",
    "and so on",
    "as we|i|you can see [here]",
    "as you|we|i see",
};

/// Said while thinking.
constexpr std::array kFillers = {"uh", "uhm", "um",   "umm", "er",  "erm",       "ah",      "hmm",
                                 "hm", "mm",  "okay", "ok",  "etc", "basically", "actually"};

/// Sentences that begin so show nothing.
constexpr std::array kInvalid = {
    "i|we [really] think|guess|feel|hope|believe|suppose|assume|like|love|do|don't|cannot|can't|am|are|would",
    "i'm|i'd|we're *",
    "the|this|that $picture [here] $be|seems|looks|appears|was|has|feels|taken|clicked [a] [been] "
    "[being] [very|quite|a|bit|little|slightly|nicely|well|also|probably|completely] "
    "blur|blurred|blurry|edited|clicked|taken|captured|made|clear|nice|beautiful|good|bright|dark|black|"
    "colorful|colourful|animated|old|indoor|indoors|outdoor|outdoors|white|colored|coloured|unclear|cropped|"
    "designed|drawn|painted|collage|great|sunny|night|day|daytime|outside|inside",
    "this|it $be [a] [an] [very] taken|clicked|captured|blurred|blurry|edited|indoor|outdoor|nice|"
    "beautiful|good|great",
    "the|a|this background|foreground|backdrop|quality|lighting|weather|color|colour|day [of] [the] "
    "$be|seems|looks|appears",
    "it|this|that [also] seems|looks|appears [to] [be] [like] [a|an|the] "
    "[very|quite|nice|beautiful|good|sunny|lovely|great|bright|dark|cold|hot|warm|bit|little|really] "
    "drawing|painting|day|night|evening|morning|afternoon|weather|good|nice|beautiful|great|lovely|sunny|fun|"
    "edited|blurred|blurry|fake|real",
    "there $be nothing|something|more|other",
    "nothing|everything|that's|thats|wow|thanks|thank|hello|hi|yes|no|maybe|perhaps",
    "she|he|it|they might|may|could|must",
    "she|he|they seems|seem|looks|look|appears|appear",
};

/// A sentence that is nothing else shows nothing.
constexpr const char* kPictureAlone = "this|it|that $be [a|an|the] [*] [*] [*] [*] $picture";

/// What leads to the thing that is seen; taken from the beginning again and again.
constexpr std::array kOpenings = {
    "[and|so|but] [then|here|now|also] we|i|you|one|they [can|could|may|will|am|are] [also|even|clearly|able|"
    "easily|still] [to] see|observe|notice|find|spot|view|watch|identify|visualize|seeing|observing|have "
    "[that|here]",
    "[and|so|but] [then|here|now|also] there's|it's|that's|here's [also]",
    "[and|so|but] [then|here|now|also] there|here|it $be [also|even|like]",
    "there|it seems|seem|appears|appear|looks|look [to] [be] [like|that] [there] [$be]",
    "this|it|that [also] looks|seems|appears [to] [be] [like]",
    "this|the|that $picture [mainly|mostly|also] consists|comprises of",
    "this|the|that $picture [mainly|mostly|also] "
    "contains|shows|has|have|depicts|describes|includes|represents|displays|features",
    "this|the|that $picture $be [all] of|about",
    "this|it|these|here $be [a|an|the] [nice|beautiful|good] $picture|pictures|images "
    "of|with|where|showing|containing|about|which|that [shows|has|contains]",
    "this|it|these|that $be [the|a|an] [close] [up] [view|shot|image|picture] of",
    "this|it|these $be",
    "a|an|the $picture of|with|where|showing",
    "and|so|but|also|then|here|now|next|again|finally|well|additionally|moreover|besides|beside|that",
};

/// Places in the picture before the thing that is there.
constexpr std::array kPlaces = {
    "in|on|at|to|towards|toward|from|near|along the|this|its|his|her|their|right|left "
    "[very|far|extreme|bottom|top|left|right|upper|lower|back|front] $side [hand] "
    "[side|corner|part|portion|end|edge|most] [of] [it|that|them]",
    "in|on|at front|back|top|left|right|center|middle|background|foreground [side] [of] "
    "[it|that|them|him|her]",
    "behind|beside|besides|near|next|above|below|under|beneath|around|opposite|before|after [to] "
    "it|that|this|them|him|her|these|those",
    "in|on between|both|either [of] [the] [it|them|these|sides|side]",
};

/// Links between a thing and what it does, behind the first noun: the relative pronoun goes, and with it a
/// form of "be".
constexpr std::array kRelatives = {"which|who|that $be [being]", "which|who|that"};

bool is_one_of(std::string_view alternatives, const std::string& word) {
  while (true) {
    const size_t bar = alternatives.find('|');
    const std::string_view alternative = alternatives.substr(0, bar);
    if (alternative == word || (alternative == "$be" && is_one_of(kBe, word)) ||
        (alternative == "$picture" && is_one_of(kPicture, word)) ||
        (alternative == "$side" && is_one_of(kSide, word))) {
      return true;
    }
    if (bar == std::string_view::npos) {
      return false;
    }
    alternatives.remove_prefix(bar + 1);
  }
}

/// The end of what the pattern's parts from `part` on match of the words from `at` on, or kNoMatch. Optional
/// parts match when they can.
size_t match_parts(const std::vector<std::string>& parts, size_t part, const Words& words, size_t at) {
  if (part == parts.size()) {
    return at;
  }
  std::string_view wanted = parts[part];
  const bool optional = wanted.starts_with('[');
  if (optional) {
    wanted = wanted.substr(1, wanted.size() - 2);
  }
  if (at < words.size() && (wanted == "*" || is_one_of(wanted, words[at].lower))) {
    if (const size_t end = match_parts(parts, part + 1, words, at + 1); end != kNoMatch) {
      return end;
    }
  }
  return optional ? match_parts(parts, part + 1, words, at) : kNoMatch;
}

size_t match(const char* pattern, const Words& words, size_t at) {
  return match_parts(split(pattern, ' '), 0, words, at);
}

/// The longest match of any pattern at a place, or kNoMatch.
template <size_t Count>
size_t match_any(const std::array<const char*, Count>& patterns, const Words& words, size_t at) {
  size_t longest = kNoMatch;
  for (const char* pattern : patterns) {
    const size_t end = match(pattern, words, at);
    if (end != kNoMatch && (longest == kNoMatch || end > longest)) {
      longest = end;
    }
  }
  return longest;
}

void erase(Words& words, size_t begin, size_t end) {
  words.erase(words.begin() + static_cast<std::ptrdiff_t>(begin),
              words.begin() + static_cast<std::ptrdiff_t>(end));
}

bool is_edge(unsigned char character) {
  return character < 0x80 && std::isalnum(character) == 0;
}

Words words_of(std::string_view sentence) {
  Words words;
  for (size_t at = 0; at < sentence.size();) {
    const size_t begin = sentence.find_first_not_of(" \t\r\n", at);
    if (begin == std::string_view::npos) {
      break;
    }
    const size_t end = std::min(sentence.find_first_of(" \t\r\n", begin), sentence.size());
    std::string_view text = sentence.substr(begin, end - begin);
    at = end;
    Word word{std::string(text), {}};
    while (!text.empty() && is_edge(static_cast<unsigned char>(text.front()))) {
      text.remove_prefix(1);
    }
    while (!text.empty() && is_edge(static_cast<unsigned char>(text.back()))) {
      text.remove_suffix(1);
    }
    for (const char character : text) {
      word.lower += static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
    }
    const bool filler = std::find(kFillers.begin(), kFillers.end(), word.lower) != kFillers.end();
    if (!word.lower.empty() && !filler) {
      words.push_back(std::move(word));
    }
  }
  return words;
}

/// Whether the words show nothing. "I am able to see" begins as an opinion does and is none.
bool shows_nothing(const Words& words) {
  const bool whole = match(kPictureAlone, words, 0) == words.size();
  return match(kOpenings[0], words, 0) == kNoMatch && (match_any(kInvalid, words, 0) != kNoMatch || whole);
}

bool is_determiner(const std::string& word) {
  return is_one_of("a|an|the|some|two|three|four|five|six|many|several|few|another|one|his|her|their", word);
}

/// A place of the world before the thing ("on the table there is a cup") goes behind it, unless something is
/// said there already; places in the picture are dropped.
void move_place(Words& words) {
  constexpr size_t kLongestPlace = 6;  // words
  if (words.empty() || !is_one_of("in|on|at|under|behind|beside|near|above|below|inside|around|between|over",
                                  words[0].lower)) {
    return;
  }
  for (size_t at = 2; at <= std::min(kLongestPlace, words.size()); ++at) {
    size_t end = kNoMatch;
    for (size_t opening = 0; opening < 5 && end == kNoMatch; ++opening) {  // those that say "there is"
      end = match(kOpenings[opening], words, at);
    }
    if (end == kNoMatch || end == words.size()) {
      continue;
    }
    Words place(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(at));
    place[0].text = place[0].lower;
    place.back().text = place.back().lower;
    erase(words, 0, end);
    const bool placed = std::any_of(words.begin(), words.end(), [](const Word& word) {
      return is_one_of("in|on|at|under|behind|beside|near|above|below|inside|against", word.lower);
    });
    if (!placed) {
      words.back().text = words.back().lower;
      words.insert(words.end(), place.begin(), place.end());
    }
    return;
  }
}

/// "She is smiling." -> "A smiling girl", "He is holding a cup." -> "A boy holding a cup"; the paper's
/// example for the first.
void name_pronoun(Words& words) {
  if (words.size() < 3 || !is_one_of("he|she|they", words[0].lower) || !is_one_of("$be", words[1].lower) ||
      !words[2].lower.ends_with("ing")) {
    return;
  }
  const std::string& pronoun = words[0].lower;
  const std::string noun = pronoun == "he" ? "boy" : pronoun == "she" ? "girl" : "people";
  Words named;
  if (pronoun != "they") {
    named.push_back({"a", "a"});
  }
  const Word action{words[2].lower, words[2].lower};
  if (words.size() == 3) {
    named.push_back(action);
    named.push_back({noun, noun});
  } else {
    named.push_back({noun, noun});
    named.push_back(action);
    named.insert(named.end(), words.begin() + 3, words.end());
  }
  words = std::move(named);
}

/// "a pole that has two signs" -> "a pole has two signs"; "a boat which is in the water" -> "a boat in the
/// water". Only the first one: in later ones the pronoun tells what belongs to what.
void drop_relative(Words& words) {
  for (size_t at = 1; at + 1 < words.size(); ++at) {
    if (is_one_of("in|on|at|of|to|with|from|by|for|and|under|behind", words[at - 1].lower)) {
      continue;  // "a road on which cars drive"
    }
    const bool clause =
        is_one_of("which|who", words[at].lower) ||
        (words[at].lower == "that" && !is_determiner(words[at + 1].lower) &&
         is_one_of("$be|has|have|stands|sits|rides|holds|wears|runs|walks|plays|looks", words[at + 1].lower));
    if (clause) {
      erase(words, at, match_any(kRelatives, words, at));
      return;
    }
  }
}

std::string sentence_of(const Words& words) {
  std::string text;
  for (const Word& word : words) {
    text += (text.empty() ? "" : " ") + word.text;
  }
  const size_t begin = text.find_first_not_of(" ,;:.-");
  const size_t end = text.find_last_not_of(" ,;:.!?-");
  if (begin == std::string::npos || end == std::string::npos || begin > end) {
    return {};
  }
  text = text.substr(begin, end + 1 - begin);
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text + ".";
}

}  // namespace

std::optional<std::string> caption_by_rules(std::string_view sentence) {
  Words words = words_of(sentence);
  if (shows_nothing(words)) {
    return std::nullopt;
  }
  for (size_t at = 0; at < words.size();) {
    const size_t end = match_any(kAnywhere, words, at);
    if (end == kNoMatch) {
      ++at;
    } else {
      erase(words, at, end);
    }
  }
  for (bool changed = true; changed && !words.empty();) {
    changed = false;
    if (shows_nothing(words)) {
      return std::nullopt;
    }
    size_t end = match_any(kPlaces, words, 0);
    if (end == kNoMatch || end == words.size()) {
      end = match_any(kOpenings, words, 0);
    }
    if (end != kNoMatch) {
      erase(words, 0, end);
      changed = true;
    }
  }
  move_place(words);
  name_pronoun(words);
  drop_relative(words);
  // "On the left." and "Also here." say where and not what.
  const bool says_what = std::any_of(words.begin(), words.end(), [](const Word& word) {
    return !is_determiner(word.lower) &&
           !is_one_of("in|on|at|of|to|and|also|here|there|it|this|that|is|are|we|i|see|$side", word.lower);
  });
  return says_what ? std::optional(sentence_of(words)) : std::nullopt;
}

}  // namespace patchioner
