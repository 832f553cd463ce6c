// A CLIP-style byte-pair tokenizer learned from the corpus, in the layout vocab.json + merges.txt.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <patchioner/log.hpp>

#include "commands.hpp"
#include "corpus.hpp"
#include "support/files.hpp"
#include "text/byte_pairs.hpp"

namespace patchioner::emoji {
namespace {

constexpr size_t kMostIds = 1536;
constexpr int64_t kFewestUses = 3;  // of a pair in the corpus, to be merged
constexpr const char* kWordEnd = "</w>";

using Pair = std::pair<std::string, std::string>;

struct Word {
  std::vector<std::string> symbols;
  int64_t count;
};

/// The words of the corpus as CLIP's pattern cuts them; the corpus holds ASCII letters and punctuation only.
std::map<std::string, int64_t> count_words(const std::vector<CorpusLine>& lines) {
  std::map<std::string, int64_t> words;
  for (const CorpusLine& line : lines) {
    std::string word;
    bool letters = false;
    const auto finish = [&] {
      if (!word.empty()) {
        ++words[word];
        word.clear();
      }
    };
    for (const char letter : line.text) {
      const bool is_letter = std::isalpha(static_cast<unsigned char>(letter)) != 0;
      if (letter == ' ' || is_letter != letters) {
        finish();
      }
      letters = is_letter;
      if (letter != ' ') {
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
      }
    }
    finish();
  }
  return words;
}

std::vector<Pair> learn_merges(const std::map<std::string, int64_t>& counts, size_t most) {
  const ByteAlphabet& alphabet = ByteAlphabet::instance();
  std::vector<Word> words;
  for (const auto& [text, count] : counts) {
    Word word{{}, count};
    for (const char letter : text) {
      word.symbols.push_back(alphabet.symbol[static_cast<unsigned char>(letter)]);
    }
    word.symbols.back() += kWordEnd;
    words.push_back(std::move(word));
  }
  std::vector<Pair> merges;
  while (merges.size() < most) {
    std::map<Pair, int64_t> uses;
    for (const Word& word : words) {
      for (size_t i = 1; i < word.symbols.size(); ++i) {
        uses[{word.symbols[i - 1], word.symbols[i]}] += word.count;
      }
    }
    // The most frequent pair; of equal ones the first in the alphabet.
    const auto best = std::max_element(uses.begin(), uses.end(), [](const auto& left, const auto& right) {
      return left.second < right.second;
    });
    if (best == uses.end() || best->second < kFewestUses) {
      break;
    }
    const Pair pair = best->first;
    merges.push_back(pair);
    for (Word& word : words) {
      for (size_t i = 1; i < word.symbols.size(); ++i) {
        if (word.symbols[i - 1] == pair.first && word.symbols[i] == pair.second) {
          word.symbols[i - 1] += pair.second;
          word.symbols.erase(word.symbols.begin() + static_cast<ptrdiff_t>(i));
        }
      }
    }
  }
  return merges;
}

}  // namespace

void make_tokenizer(const World& world, const Settings& settings) {
  const std::map<std::string, int64_t> counts = count_words(corpus_lines(world));
  const ByteAlphabet& alphabet = ByteAlphabet::instance();
  std::vector<std::string> tokens;
  for (const std::string& end : {std::string(), std::string(kWordEnd)}) {
    for (const uint8_t byte : alphabet.order) {
      tokens.push_back(alphabet.symbol[byte] + end);
    }
  }
  std::string merges_text = "#version: 0.2\n";
  for (const auto& [left, right] : learn_merges(counts, kMostIds - tokens.size() - 2)) {
    tokens.push_back(left + right);
    merges_text += left + " " + right + "\n";
  }
  tokens.emplace_back("<|startoftext|>");
  tokens.emplace_back("<|endoftext|>");
  nlohmann::ordered_json vocabulary = nlohmann::ordered_json::object();
  for (size_t id = 0; id < tokens.size(); ++id) {
    vocabulary[tokens[id]] = id;
  }
  const std::filesystem::path folder = settings.output / "tokenizer";
  std::filesystem::create_directories(folder);
  write_file(folder / "vocab.json", vocabulary.dump() + "\n");
  write_file(folder / "merges.txt", merges_text);
  settings.report("tokenizer", fmt::format("{} different words, {} ids", counts.size(), tokens.size()));
}

}  // namespace patchioner::emoji
