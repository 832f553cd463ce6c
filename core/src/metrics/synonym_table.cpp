#include "metrics/synonym_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <patchioner/error.hpp>

#include "support/files.hpp"
#include "text/table_text.hpp"

namespace patchioner {
namespace {

struct Ending {
  std::string_view ending, replacement;
};

// WordNet's rules of detachment, those of nouns, verbs and adjectives one behind the other.
constexpr std::array<Ending, 20> kEndings = {
    {{"s", ""},    {"ses", "s"}, {"xes", "x"}, {"zes", "z"}, {"ches", "ch"}, {"shes", "sh"}, {"men", "man"},
     {"ies", "y"}, {"s", ""},    {"ies", "y"}, {"es", "e"},  {"es", ""},     {"ed", "e"},    {"ed", ""},
     {"ing", "e"}, {"ing", ""},  {"er", ""},   {"est", ""},  {"er", "e"},    {"est", "e"}}};
constexpr size_t kFixedFields = 6;  // of a line of an index, beside pointers and offsets
constexpr size_t kShortest = 3;     // shorter words have no endings

constexpr std::array<const char*, 4> kIndexFiles = {"index.adj", "index.adv", "index.noun", "index.verb"};
constexpr std::array<const char*, 4> kExceptionFiles = {"adj.exc", "adv.exc", "noun.exc", "verb.exc"};

uint32_t number_of(std::string_view text, const std::string& place, size_t line) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(ErrorKind::data, "{}:{}: \"{}\" is not the number of a set of synonyms; the file is damaged",
                place, line, text);
  }
  return number;
}

/// Calls `use(line, number)` for each line; the last one may lack its end.
template <class Use>
size_t for_each_line(std::string_view content, Use&& use) {
  size_t number = 0;
  while (!content.empty()) {
    const size_t end = std::min(content.find('\n'), content.size());
    std::string_view line = content.substr(0, end);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    use(line, ++number);
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  return number;
}

/// METEOR's files hold pairs of lines: a word, and what belongs to it.
template <class Use>
void for_each_pair(std::string_view content, const std::string& place, Use&& use) {
  std::string_view word;
  const size_t lines = for_each_line(content, [&](std::string_view line, size_t number) {
    if (number % 2 == 1) {
      word = line;
    } else {
      use(word, line, number);
    }
  });
  if (lines % 2 != 0) {
    throw Error(ErrorKind::data, "{}: the last of its {} lines has no second one to it; the file is cut",
                place, lines);
  }
}

void sort_and_unite(std::vector<uint32_t>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

std::string_view SynonymTable::kept(std::string content) {
  contents_.push_back(std::make_unique<const std::string>(std::move(content)));
  return *contents_.back();
}

SynonymTable SynonymTable::from_meteor(std::string synsets, std::string exceptions,
                                       const std::string& place) {
  SynonymTable table;
  table.synsets_.reserve(150000);  // the full file has 147,306 words
  const std::string synsets_place = place + "/english.synsets";
  for_each_pair(table.kept(std::move(synsets)), synsets_place,
                [&](std::string_view word, std::string_view numbers, size_t line) {
                  std::vector<uint32_t>& ids = table.synsets_[word];
                  for (const std::string_view number : table_entries(numbers)) {
                    ids.push_back(number_of(number, synsets_place, line));
                  }
                });
  for_each_pair(table.kept(std::move(exceptions)), place + "/english.exceptions",
                [&](std::string_view base, std::string_view forms, size_t) {
                  for (const std::string_view form : table_entries(forms)) {
                    table.bases_[form].push_back(base);
                  }
                });
  return table;
}

SynonymTable SynonymTable::from_wordnet(const std::filesystem::path& folder) {
  SynonymTable table;
  table.synsets_.reserve(150000);
  for (const char* name : kIndexFiles) {
    const std::string place = (folder / name).string();
    for_each_line(table.kept(read_file(folder / name)), [&](std::string_view line, size_t number) {
      if (line.starts_with(' ')) {
        return;  // the licence
      }
      // lemma pos synset_cnt p_cnt pointers... sense_cnt tagsense_cnt offsets...  (wndb(5WN))
      const std::vector<std::string_view> fields = table_entries(line);
      const size_t count = fields.size() < 3 ? 0 : number_of(fields[2], place, number);
      if (count == 0 || fields.size() < kFixedFields + count) {
        throw Error(ErrorKind::data, "{}:{}: not a line of WordNet's index; the file is damaged", place,
                    number);
      }
      std::vector<uint32_t>& ids = table.synsets_[fields[0]];
      for (size_t i = fields.size() - count; i < fields.size(); ++i) {
        ids.push_back(number_of(fields[i], place, number));
      }
    });
  }
  for (const char* name : kExceptionFiles) {
    for_each_line(table.kept(read_file(folder / name)), [&](std::string_view line, size_t) {
      const std::vector<std::string_view> words = table_entries(line);
      for (size_t i = 1; i < words.size(); ++i) {
        table.bases_[words[0]].push_back(words[i]);
      }
    });
  }
  return table;
}

void SynonymTable::add_of(std::string_view word, std::vector<uint32_t>& synsets) const {
  if (const auto found = synsets_.find(word); found != synsets_.end()) {
    synsets.insert(synsets.end(), found->second.begin(), found->second.end());
  }
}

std::vector<uint32_t> SynonymTable::synsets_of(std::string_view word) const {
  std::vector<uint32_t> synsets;
  add_of(word, synsets);
  if (const auto irregular = bases_.find(word); irregular != bases_.end()) {
    for (const std::string_view base : irregular->second) {
      add_of(base, synsets);
    }
  } else if (word.size() >= kShortest && !word.ends_with("ss")) {
    for (const auto& [ending, replacement] : kEndings) {
      if (word.ends_with(ending)) {
        const std::string base = std::string(word.substr(0, word.size() - ending.size())).append(replacement);
        if (synsets_.contains(base)) {
          add_of(base, synsets);
          break;
        }
      }
    }
  }
  sort_and_unite(synsets);
  return synsets;
}

}  // namespace patchioner
