#include "wordnet.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <patchioner/error.hpp>

#include "support/files.hpp"
#include "support/split.hpp"

namespace patchioner::lexicon {
namespace {

constexpr const char* kFileNames[kParts] = {"noun", "verb", "adj", "adv"};

int64_t number(const std::string& text, int base = 10) {
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (failure != std::errc() || end != text.data() + text.size()) {
    throw Error(ErrorKind::data, "'{}' is no number", text);
  }
  return value;
}

/// Calls `read` with the fields of each line that is no comment, and says of errors which line they are in.
template <class Read>
void for_each_line(const std::filesystem::path& path, const Read& read) {
  const std::string content = read_file(path);
  size_t line_number = 0;
  for (size_t begin = 0; begin < content.size();) {
    const size_t end = std::min(content.find('\n', begin), content.size());
    const std::string line = content.substr(begin, end - begin);
    begin = end + 1;
    ++line_number;
    if (line.empty() || line.starts_with("  ")) {  // the licence
      continue;
    }
    try {
      read(line, split(line, ' '));
    } catch (const std::exception& error) {
      throw Error(ErrorKind::data, "{}:{}: this is no line of WordNet's ({})", path.string(), line_number,
                  error.what());
    }
  }
}

std::string lower(std::string text) {
  for (char& letter : text) {
    letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  }
  return text;
}

/// How definitions mark words that one does not say.
bool marks_insult(std::string_view gloss) {
  static constexpr std::array<std::string_view, 11> kMarks = {
      "slur",        "offensive term",   "offensive name",   "offensive word",
      "derogatory",  "disparaging term", "obscene term",     "obscene word",
      "vulgar term", "vulgar slang",     "vulgar expression"};
  return std::any_of(kMarks.begin(), kMarks.end(),
                     [&](std::string_view mark) { return gloss.find(mark) != std::string_view::npos; });
}

bool is_vowel(char letter) {
  return std::string_view("aeiou").find(letter) != std::string_view::npos;
}

}  // namespace

WordNet WordNet::read(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "data.noun")) {
    throw Error(ErrorKind::io,
                "{}: no WordNet lies here (data.noun is missing); on Debian: apt-get install wordnet-base",
                folder.string());
  }
  WordNet net;
  for (const Part part : {Part::noun, Part::verb, Part::adjective, Part::adverb}) {
    const std::string name = kFileNames[size_t(part)];
    net.read_data(folder / ("data." + name), part);
    net.read_index(folder / ("index." + name), part);
  }
  net.read_uses(folder / "cntlist.rev");
  net.read_exceptions(folder / "noun.exc");
  return net;
}

// offset file type count(hex) {word id} count {pointer offset type fields} | gloss
void WordNet::read_data(const std::filesystem::path& path, Part part) {
  for_each_line(path, [&](const std::string& line, const std::vector<std::string>& fields) {
    const size_t bar = line.find(" | ");
    if (bar == std::string::npos) {
      throw Error(ErrorKind::data, "no definition stands behind ' | '");
    }
    glosses_.push_back(lower(line.substr(bar + 3)));
    if (part != Part::noun) {
      return;
    }
    Synset synset;
    synset.is_insult = marks_insult(glosses_.back());
    synset.offset = number(fields.at(0));
    synset.kind = static_cast<Kind>(number(fields.at(1)));
    const auto words = static_cast<size_t>(number(fields.at(3), 16));
    for (size_t i = 0; i < words; ++i) {
      synset.words.push_back(fields.at(4 + 2 * i));
    }
    const size_t pointers = 4 + 2 * words;
    const auto count = static_cast<size_t>(number(fields.at(pointers)));
    for (size_t i = 0; i < count; ++i) {
      const std::string& type = fields.at(pointers + 1 + 4 * i);
      if (type == "@" || type == "@i") {
        synset.hypernyms.push_back(number(fields.at(pointers + 2 + 4 * i)));
        synset.is_instance = synset.is_instance || type == "@i";
      }
    }
    nouns_.emplace(synset.offset, std::move(synset));
  });
}

// word part count(senses) count(pointers) {pointer} count(senses) count(tagged) {offset}
void WordNet::read_index(const std::filesystem::path& path, Part part) {
  for_each_line(path, [&](const std::string&, const std::vector<std::string>& fields) {
    const auto senses = static_cast<size_t>(number(fields.at(2)));
    const size_t first = 6 + static_cast<size_t>(number(fields.at(3)));
    std::vector<int64_t>& offsets = words_[size_t(part)][fields.at(0)];
    for (size_t i = 0; i < senses; ++i) {
      offsets.push_back(number(fields.at(first + i)));
    }
  });
}

// word%type:file:id:head:id sense count
void WordNet::read_uses(const std::filesystem::path& path) {
  for_each_line(path, [&](const std::string&, const std::vector<std::string>& fields) {
    const std::vector<std::string> key = split(fields.at(0), '%');
    const char type = key.at(1).at(0);
    const size_t part = type == '5'   ? size_t(Part::adjective)
                        : type == '3' ? size_t(Part::adjective)
                        : type == '4' ? size_t(Part::adverb)
                                      : static_cast<size_t>(type - '1');
    const auto sense = static_cast<size_t>(number(fields.at(1)));
    std::vector<int64_t>& counts = uses_.at(part)[key[0]];
    counts.resize(std::max(counts.size(), sense));
    counts.at(sense - 1) += number(fields.at(2));
  });
}

// plural {singular}
void WordNet::read_exceptions(const std::filesystem::path& path) {
  for_each_line(path, [&](const std::string&, const std::vector<std::string>& fields) {
    for (size_t i = 1; i < fields.size(); ++i) {
      plurals_.emplace(fields[i], fields[0]);  // of several plurals the first in the alphabet
    }
  });
}

int64_t WordNet::uses(Part part, const std::string& word, size_t sense) const {
  const auto found = uses_[size_t(part)].find(word);
  return found == uses_[size_t(part)].end() || sense >= found->second.size() ? 0 : found->second[sense];
}

int64_t WordNet::uses(Part part, const std::string& word) const {
  const auto found = uses_[size_t(part)].find(word);
  return found == uses_[size_t(part)].end()
             ? 0
             : std::accumulate(found->second.begin(), found->second.end(), int64_t{0});
}

int64_t WordNet::noun_sense(const std::string& word, size_t number) const {
  const auto found = words(Part::noun).find(word);
  if (found == words(Part::noun).end() || found->second.size() < number) {
    throw Error(ErrorKind::data, "this WordNet has no sense {} of the noun '{}'; wanted is version 3.0",
                number, word);
  }
  return found->second[number - 1];
}

bool WordNet::is_below(int64_t offset, const std::set<int64_t>& roots) const {
  if (roots.contains(offset)) {
    return true;
  }
  const std::vector<int64_t>& above = noun(offset).hypernyms;
  return std::any_of(above.begin(), above.end(), [&](int64_t parent) { return is_below(parent, roots); });
}

std::string WordNet::plural(const std::string& noun) const {
  const size_t space = noun.rfind(' ');
  const size_t begin = space == std::string::npos ? 0 : space + 1;
  const std::string front = noun.substr(0, begin);
  std::string word = noun.substr(begin);
  if (const auto found = plurals_.find(word); found != plurals_.end()) {
    return front + found->second;
  }
  const auto ends = [&](std::string_view ending) { return word.ends_with(ending); };
  if (ends("s") || ends("x") || ends("z") || ends("ch") || ends("sh")) {
    return front + word + "es";
  }
  if (ends("y") && word.size() > 1 && !is_vowel(word[word.size() - 2])) {
    return front + word.substr(0, word.size() - 1) + "ies";
  }
  if (ends("man")) {
    return front + word.substr(0, word.size() - 3) + "men";
  }
  return front + word + "s";
}

}  // namespace patchioner::lexicon
