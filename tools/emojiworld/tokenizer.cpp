// The tokenizers, learned from the corpus, in the layout vocab.json + merges.txt: byte pairs as CLIP has them
// (words in lower case, each with its end marked) and as GPT-2 has them (pieces with the space before them).
#include <map>
#include <nlohmann/json.hpp>
#include <patchioner/log.hpp>

#include "commands.hpp"
#include "corpus.hpp"
#include "entities/training_entities.hpp"
#include "merges.hpp"
#include "support/files.hpp"
#include "text/byte_pairs.hpp"
#include "text/gpt2_tokenizer.hpp"

namespace patchioner::emoji {
namespace {

constexpr size_t kClipIds = 1536;
constexpr size_t kGpt2Ids = 1280;  // nearly every word of an entity is one token, as the prompt supposes
constexpr const char* kWordEnd = "</w>";
constexpr const char* kEndOfText = "<|endoftext|>";
/// What ViECap's prompt says of a caption in which it knows nothing by name.
constexpr const char* kPrompt = "There are something in image.";

/// The words of the corpus as CLIP's pattern cuts them; the corpus holds ASCII letters and punctuation only.
std::map<std::string, int64_t> clip_words(const std::vector<CorpusLine>& lines) {
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

/// The pieces of the captions as ViECap is trained on them, each behind its prompt.
std::map<std::string, int64_t> viecap_pieces(const std::vector<CorpusLine>& lines) {
  std::map<std::string, int64_t> pieces;
  for (const CorpusLine& line : lines) {
    for (const std::string& text : {std::string(kPrompt), clean_training_caption(line.text)}) {
      for (const std::string& piece : gpt2_pieces(text)) {
        ++pieces[piece];
      }
    }
  }
  return pieces;
}

/// Words as symbols of the byte alphabet, the last one with `end`.
std::vector<CountedWord> spell(const std::map<std::string, int64_t>& counts, const std::string& end) {
  std::vector<CountedWord> words;
  for (const auto& [text, count] : counts) {
    CountedWord word{{}, count};
    for (const char letter : text) {
      word.symbols.push_back(ByteAlphabet::instance().symbol[static_cast<unsigned char>(letter)]);
    }
    word.symbols.back() += end;
    words.push_back(std::move(word));
  }
  return words;
}

/// The bytes in the alphabet's order, with `end` behind each.
void add_alphabet(std::vector<std::string>& tokens, const std::string& end) {
  const ByteAlphabet& alphabet = ByteAlphabet::instance();
  for (const uint8_t byte : alphabet.order) {
    tokens.push_back(alphabet.symbol[byte] + end);
  }
}

/// Writes both files: `tokens` and the merges of `words` that there is room for below `most` ids, then
/// `markers`. Returns the number of ids.
size_t write_tokenizer(const std::filesystem::path& folder, std::vector<std::string> tokens,
                       std::vector<CountedWord> words, const std::vector<std::string>& markers, size_t most) {
  std::string merges = "#version: 0.2\n";
  for (const auto& [left, right] : learn_merges(std::move(words), most - tokens.size() - markers.size())) {
    tokens.push_back(left + right);
    merges += left + " " + right + "\n";
  }
  tokens.insert(tokens.end(), markers.begin(), markers.end());
  nlohmann::ordered_json vocabulary = nlohmann::ordered_json::object();
  for (size_t id = 0; id < tokens.size(); ++id) {
    vocabulary[tokens[id]] = id;
  }
  std::filesystem::create_directories(folder);
  write_file(folder / "vocab.json", vocabulary.dump() + "\n");
  write_file(folder / "merges.txt", merges);
  return tokens.size();
}

}  // namespace

void make_tokenizers(const World& world, const Settings& settings) {
  const std::vector<CorpusLine> lines = corpus_lines(world);
  const std::map<std::string, int64_t> words = clip_words(lines);
  std::vector<std::string> tokens;
  add_alphabet(tokens, "");
  add_alphabet(tokens, kWordEnd);
  size_t ids = write_tokenizer(settings.output / "tokenizer", tokens, spell(words, kWordEnd),
                               {"<|startoftext|>", kEndOfText}, kClipIds);
  settings.report("tokenizer", fmt::format("{} different words, {} ids", words.size(), ids));

  const std::map<std::string, int64_t> pieces = viecap_pieces(lines);
  tokens.clear();
  add_alphabet(tokens, "");
  ids =
      write_tokenizer(settings.output / "tokenizer_gpt2", tokens, spell(pieces, ""), {kEndOfText}, kGpt2Ids);
  settings.report("tokenizer_gpt2", fmt::format("{} different pieces, {} ids", pieces.size(), ids));
}

}  // namespace patchioner::emoji
