#include "metrics/paraphrase_table.hpp"

#include <algorithm>
#include <array>
#include <patchioner/error.hpp>

#include "support/files.hpp"
#include "text/gzip.hpp"

namespace patchioner {
namespace {

/// The numbers of a line's words; false when one of them is in no text.
bool read_phrase(std::string_view line, const MeteorWords& words, std::vector<uint32_t>& phrase) {
  phrase.clear();
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    if (end > 0) {
      const uint32_t* word = words.find(line.substr(0, end));
      if (word == nullptr) {
        return false;
      }
      phrase.push_back(*word);
    }
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return !phrase.empty();
}

}  // namespace

void ParaphraseTable::add(std::span<const uint32_t> phrase, std::span<const uint32_t> paraphrase) {
  if (nodes_.empty()) {
    nodes_.emplace_back();
  }
  uint32_t node = 0;
  for (const uint32_t word : phrase) {
    const auto [next, is_new] =
        edges_.emplace(uint64_t{node} << 32 | word, static_cast<uint32_t>(nodes_.size()));
    if (is_new) {
      nodes_.emplace_back();
    }
    node = next->second;
  }
  nodes_[node].push_back({static_cast<uint32_t>(pool_.size()), static_cast<uint32_t>(paraphrase.size())});
  pool_.insert(pool_.end(), paraphrase.begin(), paraphrase.end());
  ++pairs_;
}

ParaphraseTable ParaphraseTable::read(const std::filesystem::path& file, const MeteorWords& words) {
  constexpr size_t kLinesOfEntry = 3;
  ParaphraseTable table;
  const auto mapped = MappedFile::open(file);
  std::vector<uint32_t> phrase;
  std::vector<uint32_t> paraphrase;
  bool is_wanted = false;
  size_t lines = 0;
  const auto use = [&](std::string_view line) {
    switch (lines++ % kLinesOfEntry) {
      case 1:
        is_wanted = read_phrase(line, words, phrase);
        break;
      case 2:
        if (is_wanted && read_phrase(line, words, paraphrase)) {
          table.add(phrase, paraphrase);
        }
        break;
      default:  // the probability, which METEOR ignores
        break;
    }
  };
  std::string begun;  // a line that goes on in the next part
  gunzip_in_parts(mapped->text(), file.string(), [&](std::string_view part) {
    for (size_t end = part.find('\n'); end != std::string_view::npos; end = part.find('\n')) {
      if (begun.empty()) {
        use(part.substr(0, end));
      } else {
        begun += part.substr(0, end);
        use(begun);
        begun.clear();
      }
      part.remove_prefix(end + 1);
    }
    begun += part;
  });
  if (!begun.empty()) {
    use(begun);
  }
  if (lines == 0 || lines % kLinesOfEntry != 0) {
    throw Error(
        ErrorKind::data,
        "{}: not METEOR's table of paraphrases: it has {} lines, and entries have three; fetch it again",
        file.string(), lines);
  }
  return table;
}

}  // namespace patchioner
