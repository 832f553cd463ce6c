#include "metrics/rouge.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <unordered_map>

namespace patchioner {
namespace {

constexpr double kBeta = 1.2;  // coco-caption's; recall counts more than precision

/// Texts as numbers of words.
class WordNumbers {
 public:
  void split(std::string_view text, std::vector<uint32_t>& words) {
    words.clear();
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find(' ', begin), text.size());
      const std::string_view word = text.substr(begin, end - begin);
      words.push_back(numbers_.emplace(word, static_cast<uint32_t>(numbers_.size())).first->second);
      begin = end + 1;
    }
  }

 private:
  std::unordered_map<std::string_view, uint32_t> numbers_;  // of words of the segments, which outlive it
};

/// Length of the longest common subsequence. `row` is working memory.
size_t common_length(std::span<const uint32_t> left, std::span<const uint32_t> right,
                     std::vector<size_t>& row) {
  row.assign(right.size() + 1, 0);
  for (const uint32_t word : left) {
    size_t diagonal = 0;
    for (size_t j = 0; j < right.size(); ++j) {
      const size_t above = row[j + 1];
      row[j + 1] = word == right[j] ? diagonal + 1 : std::max(above, row[j]);
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

SegmentScores rouge_l_scores(std::span<const Segment> segments) {
  SegmentScores scores;
  scores.segments.reserve(segments.size());
  WordNumbers numbers;
  std::vector<uint32_t> candidate;
  std::vector<uint32_t> reference;
  std::vector<size_t> row;
  for (const Segment& segment : segments) {
    numbers.split(segment.candidate, candidate);
    double precision = 0;
    double recall = 0;
    for (const std::string& text : segment.references) {
      numbers.split(text, reference);
      const auto common = static_cast<double>(common_length(candidate, reference, row));
      precision = std::max(precision, common / static_cast<double>(candidate.size()));
      recall = std::max(recall, common / static_cast<double>(reference.size()));
    }
    const double score = precision > 0 && recall > 0
                             ? (1 + kBeta * kBeta) * precision * recall / (recall + kBeta * kBeta * precision)
                             : 0;
    scores.segments.push_back(score);
  }
  if (!segments.empty()) {
    scores.corpus = std::accumulate(scores.segments.begin(), scores.segments.end(), 0.0) /
                    static_cast<double>(segments.size());
  }
  return scores;
}

}  // namespace patchioner
