#include "text/byte_pairs.hpp"

#include <functional>
#include <queue>
#include <tuple>

#include "support/utf8.hpp"

namespace patchioner {
namespace {

uint64_t pair_key(int32_t left, int32_t right) {
  return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
}

bool stands_for_itself(int byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

}  // namespace

ByteAlphabet::ByteAlphabet() {
  size_t count = 0;
  char32_t next_character = 256;
  for (const bool printable : {true, false}) {
    for (int byte = 0; byte < 256; ++byte) {
      if (stands_for_itself(byte) != printable) {
        continue;
      }
      const char32_t character = printable ? static_cast<char32_t>(byte) : next_character++;
      order[count] = static_cast<uint8_t>(byte);
      position[static_cast<size_t>(byte)] = static_cast<uint8_t>(count);
      append_utf8(symbol[static_cast<size_t>(byte)], character);
      byte_of_[character] = static_cast<uint8_t>(byte);
      ++count;
    }
  }
}

const ByteAlphabet& ByteAlphabet::instance() {
  static const ByteAlphabet alphabet;
  return alphabet;
}

std::string ByteAlphabet::to_bytes(const std::string& symbols) const {
  std::string bytes;
  for (const char32_t character : decode_utf8(symbols)) {
    const auto found = byte_of_.find(character);
    if (found == byte_of_.end()) {
      append_utf8(bytes, character);
    } else {
      bytes.push_back(static_cast<char>(found->second));
    }
  }
  return bytes;
}

void BytePairMerges::add(int32_t left, int32_t right, int32_t result) {
  merges_[pair_key(left, right)] = {count_++, result};
}

const BytePairMerges::Merge* BytePairMerges::find(int32_t left, int32_t right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void BytePairMerges::apply(std::vector<int32_t>& symbols) const {
  // A linked list over the symbols and a queue of the pairs that could be merged, by rank and then by place.
  // An entry that no longer describes its place is passed over.
  constexpr int32_t kGone = -1;
  using Candidate =
      std::tuple<uint32_t, size_t, int32_t, int32_t>;  // rank, position of the left symbol, left, right
  const size_t count = symbols.size();
  std::vector<size_t> next(count);
  std::vector<size_t> previous(count);
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto consider = [&](size_t left, std::vector<Candidate>* later) {
    const size_t right = left < count ? next[left] : count;
    if (right >= count) {
      return;
    }
    if (const Merge* merge = find(symbols[left], symbols[right]); merge != nullptr) {
      const Candidate candidate{merge->rank, left, symbols[left], symbols[right]};
      if (later != nullptr) {
        later->push_back(candidate);
      } else {
        queue.push(candidate);
      }
    }
  };
  for (size_t index = 0; index < count; ++index) {
    next[index] = index + 1;
    previous[index] = index == 0 ? count : index - 1;
  }
  for (size_t index = 0; index + 1 < count; ++index) {
    consider(index, nullptr);
  }

  std::vector<Candidate> found;
  while (!queue.empty()) {
    // All occurrences of one pair, before a pair that this makes possible, whatever its rank.
    const uint32_t rank = std::get<0>(queue.top());
    found.clear();
    while (!queue.empty() && std::get<0>(queue.top()) == rank) {
      const auto [same_rank, left, left_symbol, right_symbol] = queue.top();
      queue.pop();
      const size_t right = next[left];
      if (symbols[left] != left_symbol || right >= count || symbols[right] != right_symbol) {
        continue;
      }
      symbols[left] = find(left_symbol, right_symbol)->result;
      symbols[right] = kGone;
      next[left] = next[right];
      if (next[right] < count) {
        previous[next[right]] = left;
      }
      consider(left, &found);
      if (previous[left] < count) {
        consider(previous[left], &found);
      }
    }
    for (const Candidate& candidate : found) {
      queue.push(candidate);
    }
  }
  std::erase(symbols, kGone);
}

}  // namespace patchioner
