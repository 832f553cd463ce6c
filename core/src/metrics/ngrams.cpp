#include "metrics/ngrams.hpp"

#include <algorithm>

#include "metrics/white_space.hpp"
#include "support/split_mix.hpp"

namespace patchioner {

uint32_t NgramTable::number_of_word(std::string_view word) {
  const auto found = words_.find(word);
  if (found != words_.end()) {
    return found->second;
  }
  return words_.emplace(std::string(word), size_++).first->second;
}

void NgramTable::grow() {
  std::vector<Entry> old = std::move(longer_);
  longer_.assign(std::max<size_t>(1024, 2 * old.size()), Entry());
  const size_t mask = longer_.size() - 1;
  for (const Entry& entry : old) {
    if (entry.key != 0) {
      size_t at = split_mix(entry.key) & mask;
      while (longer_[at].key != 0) {
        at = (at + 1) & mask;
      }
      longer_[at] = entry;
    }
  }
}

uint32_t NgramTable::extended(uint32_t ngram, uint32_t word) {
  if (2 * entries_ >= longer_.size()) {
    grow();
  }
  const uint64_t key = uint64_t{ngram} << 32 | word;
  const size_t mask = longer_.size() - 1;
  size_t at = split_mix(key) & mask;
  while (longer_[at].key != 0) {
    if (longer_[at].key == key) {
      return longer_[at].number;
    }
    at = (at + 1) & mask;
  }
  longer_[at] = {key, size_};
  ++entries_;
  return size_++;
}

void NgramTable::split(std::string_view text) {
  split_.clear();
  for_each_word(text, [&](std::string_view word) { split_.push_back(number_of_word(word)); });
}

Ngrams NgramTable::ngrams_of(std::string_view text) {
  split(text);
  Ngrams result;
  result.ids_.reserve(kLongestNgram * split_.size());
  std::vector<uint32_t> order = split_;  // the n-grams of one order by where they begin
  for (size_t n = 1; n <= kLongestNgram; ++n) {
    if (n > 1) {
      order.resize(order.empty() ? 0 : order.size() - 1);
      for (size_t i = 0; i < order.size(); ++i) {
        order[i] = extended(order[i], split_[i + n - 1]);
      }
    }
    result.ids_.insert(result.ids_.end(), order.begin(), order.end());
    result.begins_[n] = static_cast<uint32_t>(result.ids_.size());
    std::sort(result.ids_.begin() + result.begins_[n - 1], result.ids_.end());
  }
  return result;
}

uint32_t NgramTable::number_of(std::string_view text) {
  split(text);
  uint32_t number = split_.empty() ? 0 : split_.front();
  for (size_t i = 1; i < split_.size(); ++i) {
    number = extended(number, split_[i]);
  }
  return number;
}

CountedSegments::CountedSegments(std::span<const Segment> given) {
  segments.reserve(given.size());
  for (const Segment& segment : given) {
    Counted counted{.candidate = table.ngrams_of(segment.candidate), .references = {}};
    counted.references.reserve(segment.references.size());
    for (const std::string& reference : segment.references) {
      counted.references.push_back(table.ngrams_of(reference));
    }
    segments.push_back(std::move(counted));
  }
}

}  // namespace patchioner
