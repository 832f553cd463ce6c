#include "metrics/meteor_aligner.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

constexpr size_t kBeam = 40;
// What a word counts in the search, by module; the score has weights of its own.
constexpr std::array<double, kMeteorModules> kSearchWeights = {1, 0.5, 0.5, 0.5};

/// A set of places in a text; small texts need no memory of their own.
class Places {
 public:
  explicit Places(size_t count) : more_(count > kWordBits ? (count - 1) / kWordBits : 0) {}

  bool any(size_t begin, size_t count) const {
    for (size_t i = begin; i < begin + count; ++i) {
      if ((word(i) >> (i % kWordBits) & 1) != 0) {
        return true;
      }
    }
    return false;
  }
  void add(size_t begin, size_t count) {
    for (size_t i = begin; i < begin + count; ++i) {
      (i < kWordBits ? first_ : more_[i / kWordBits - 1]) |= uint64_t{1} << (i % kWordBits);
    }
  }

 private:
  static constexpr size_t kWordBits = 64;
  uint64_t word(size_t i) const { return i < kWordBits ? first_ : more_[i / kWordBits - 1]; }
  uint64_t first_ = 0;
  std::vector<uint64_t> more_;
};

/// A partial alignment.
struct Path {
  Places hypothesis_used;
  Places reference_used;
  int32_t hypothesis_weight = 0;
  int32_t reference_weight = 0;
  int32_t chunks = 0;
  int32_t distance = 0;
  size_t next = 0;        ///< the first word of the reference behind the last match
  int32_t last_end = -1;  ///< where the open chunk ends in the hypothesis; -1: none is open
  int32_t chosen = -1;    ///< the last chosen match, in the chain of them

  void take(const MeteorMatch& match) {
    const double weight = kSearchWeights[static_cast<size_t>(match.module)];
    hypothesis_weight = static_cast<int32_t>(hypothesis_weight + match.hypothesis_length * weight);
    reference_weight = static_cast<int32_t>(reference_weight + match.length * weight);
    if (last_end != -1 && match.hypothesis_start != last_end) {
      ++chunks;
    }
    next = size_t{match.start} + match.length;
    last_end = match.hypothesis_start + match.hypothesis_length;
  }

  void close_chunk() {
    if (last_end != -1) {
      ++chunks;
      last_end = -1;
    }
  }
};

int32_t distance_of(const MeteorMatch& match) {
  return std::abs(int32_t{match.start} - int32_t{match.hypothesis_start});
}

/// Whether the one is to be expanded before the other; of equal ones the earlier.
bool is_better(const Path& left, const Path& right) {
  const int32_t left_weight = left.hypothesis_weight + left.reference_weight;
  const int32_t right_weight = right.hypothesis_weight + right.reference_weight;
  if (left_weight != right_weight) {
    return left_weight > right_weight;
  }
  return left.chunks != right.chunks ? left.chunks < right.chunks : left.distance < right.distance;
}

/// The best paths' places, best first, at most kBeam.
void order_best(const std::vector<Path>& paths, std::vector<uint32_t>& order) {
  order.resize(paths.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto kept = order.begin() + static_cast<ptrdiff_t>(std::min(kBeam, order.size()));
  std::partial_sort(order.begin(), kept, order.end(), [&](uint32_t left, uint32_t right) {
    return is_better(paths[left], paths[right]) ||
           (!is_better(paths[right], paths[left]) && left < right);  // as a stable sort has it
  });
  order.erase(kept, order.end());
}

bool stands_at(std::span<const uint32_t> phrase, std::span<const uint32_t> text, size_t at) {
  return phrase.size() <= text.size() - at && std::equal(phrase.begin(), phrase.end(), text.begin() + at);
}

uint32_t count_chunks(const std::vector<MeteorMatch>& matches) {
  uint32_t chunks = 0;
  size_t reference_end = 0;
  size_t hypothesis_end = 0;
  for (const MeteorMatch& match : matches) {
    if (chunks == 0 || match.start != reference_end || match.hypothesis_start != hypothesis_end) {
      ++chunks;
    }
    reference_end = size_t{match.start} + match.length;
    hypothesis_end = size_t{match.hypothesis_start} + match.hypothesis_length;
  }
  return chunks;
}

}  // namespace

void MeteorAligner::add(const MeteorMatch& match) {
  candidates_[match.start].push_back(match);
  for (size_t i = 0; i < match.length; ++i) {
    ++reference_coverage_[match.start + i];
  }
  for (size_t i = 0; i < match.hypothesis_length; ++i) {
    ++hypothesis_coverage_[match.hypothesis_start + i];
  }
}

void MeteorAligner::find_matches(Text hypothesis, Text reference) {
  const bool are_equal =
      std::equal(hypothesis.begin(), hypothesis.end(), reference.begin(), reference.end(),
                 [&](uint32_t left, uint32_t right) { return words_.are_same(left, right); });
  const auto add_words = [&](MeteorModule module, auto&& do_match) {
    for (size_t j = 0; j < reference.size(); ++j) {
      for (size_t i = 0; i < hypothesis.size(); ++i) {
        if (do_match(hypothesis[i], reference[j])) {
          add({static_cast<uint16_t>(j), 1, static_cast<uint16_t>(i), 1, module});
        }
      }
    }
  };
  add_words(MeteorModule::exact, [&](uint32_t a, uint32_t b) { return words_.are_same(a, b); });
  if (are_equal) {
    return;
  }
  add_words(MeteorModule::stem,
            [&](uint32_t a, uint32_t b) { return words_.have_same_stem(a, b) && !words_.are_same(a, b); });
  add_words(MeteorModule::synonym,
            [&](uint32_t a, uint32_t b) { return !words_.are_same(a, b) && words_.share_a_synset(a, b); });
  find_paraphrases(hypothesis, reference);
}

void MeteorAligner::find_paraphrases(Text hypothesis, Text reference) {
  for (size_t j = 0; j < reference.size(); ++j) {
    paraphrases_.for_each_at(reference.subspan(j), [&](size_t length, Text paraphrase) {
      for (size_t i = 0; i < hypothesis.size(); ++i) {
        if (stands_at(paraphrase, hypothesis, i)) {
          add({static_cast<uint16_t>(j), static_cast<uint16_t>(length), static_cast<uint16_t>(i),
               static_cast<uint16_t>(paraphrase.size()), MeteorModule::paraphrase});
        }
      }
    });
  }
  for (size_t i = 0; i < hypothesis.size(); ++i) {
    paraphrases_.for_each_at(hypothesis.subspan(i), [&](size_t length, Text paraphrase) {
      for (size_t j = 0; j < reference.size(); ++j) {
        if (stands_at(paraphrase, reference, j)) {
          add({static_cast<uint16_t>(j), static_cast<uint16_t>(paraphrase.size()), static_cast<uint16_t>(i),
               static_cast<uint16_t>(length), MeteorModule::paraphrase});
        }
      }
    });
  }
}

MeteorAlignment MeteorAligner::search(size_t hypothesis_words, size_t reference_words) {
  // Words with one possible match alone have it.
  std::vector<const MeteorMatch*> fixed(reference_words, nullptr);
  Path begin{.hypothesis_used = Places(hypothesis_words), .reference_used = Places(reference_words)};
  for (size_t j = 0; j < reference_words; ++j) {
    if (candidates_[j].size() != 1) {
      continue;
    }
    const MeteorMatch& match = candidates_[j].front();
    const auto is_one = [](uint32_t count) { return count == 1; };
    const auto reference_at = reference_coverage_.begin() + match.start;
    const auto hypothesis_at = hypothesis_coverage_.begin() + match.hypothesis_start;
    if (std::all_of(reference_at, reference_at + match.length, is_one) &&
        std::all_of(hypothesis_at, hypothesis_at + match.hypothesis_length, is_one)) {
      fixed[j] = &match;
      begin.reference_used.add(match.start, match.length);
      begin.hypothesis_used.add(match.hypothesis_start, match.hypothesis_length);
    }
  }

  struct Chosen {
    const MeteorMatch* match;
    int32_t before;
  };
  std::vector<Chosen> chain;
  std::vector<Path> paths = {std::move(begin)};
  std::vector<Path> next_paths;
  std::vector<uint32_t> order;
  for (size_t current = 0; current <= reference_words; ++current) {
    order_best(paths, order);
    next_paths.clear();
    for (const uint32_t place : order) {
      Path& path = paths[place];
      if (current == reference_words) {
        path.close_chunk();
        next_paths.push_back(std::move(path));
      } else if (path.reference_used.any(current, 1)) {
        if (current >= path.next && fixed[path.next] != nullptr) {
          const MeteorMatch& match = *fixed[path.next];
          path.take(match);
          path.distance += distance_of(match);
        }
        next_paths.push_back(std::move(path));
      } else {
        for (const MeteorMatch& match : candidates_[current]) {
          if (path.reference_used.any(match.start, match.length) ||
              path.hypothesis_used.any(match.hypothesis_start, match.hypothesis_length)) {
            continue;
          }
          Path taken = path;
          taken.reference_used.add(match.start, match.length);
          taken.hypothesis_used.add(match.hypothesis_start, match.hypothesis_length);
          taken.take(match);
          chain.push_back({&match, path.chosen});
          taken.chosen = static_cast<int32_t>(chain.size() - 1);
          path.distance += distance_of(match);  // charged to what comes after it, as the reference does
          next_paths.push_back(std::move(taken));
        }
        path.close_chunk();
        ++path.next;
        next_paths.push_back(std::move(path));
      }
    }
    std::swap(paths, next_paths);
  }
  order_best(paths, order);

  MeteorAlignment result;
  for (int32_t at = paths[order.front()].chosen; at != -1; at = chain[static_cast<size_t>(at)].before) {
    result.matches.push_back(*chain[static_cast<size_t>(at)].match);
  }
  for (const MeteorMatch* match : fixed) {
    if (match != nullptr) {
      result.matches.push_back(*match);
    }
  }
  std::sort(result.matches.begin(), result.matches.end(),
            [](const MeteorMatch& left, const MeteorMatch& right) { return left.start < right.start; });
  result.chunks = count_chunks(result.matches);
  return result;
}

MeteorAlignment MeteorAligner::align(Text hypothesis, Text reference) {
  constexpr size_t kMostWords = std::numeric_limits<uint16_t>::max();
  if (hypothesis.size() > kMostWords || reference.size() > kMostWords) {
    throw Error(ErrorKind::data, "a text of {} words cannot be scored by METEOR; captions have at most {}",
                std::max(hypothesis.size(), reference.size()), kMostWords);
  }
  if (candidates_.size() < reference.size()) {
    candidates_.resize(reference.size());
  }
  for (size_t j = 0; j < reference.size(); ++j) {
    candidates_[j].clear();
  }
  hypothesis_coverage_.assign(hypothesis.size(), 0);
  reference_coverage_.assign(reference.size(), 0);
  find_matches(hypothesis, reference);
  return search(hypothesis.size(), reference.size());
}

}  // namespace patchioner
