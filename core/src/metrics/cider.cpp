#include "metrics/cider.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <patchioner/error.hpp>

#include "support/files.hpp"

namespace patchioner {
namespace {

constexpr double kScale = 10;       // of CIDEr's authors
constexpr double kSigma = 6;        // CIDEr-D's width, in bigrams, for unequal lengths
constexpr size_t kLengthOrder = 2;  // the reference counts bigrams where it means words

/// ln N - ln df of every n-gram of the table.
class InverseFrequencies {
 public:
  InverseFrequencies(const CountedSegments& counted) {
    std::vector<double> documents(counted.table.size(), 0);
    std::vector<uint32_t> ngrams;
    for (const CountedSegments::Counted& segment : counted.segments) {
      ngrams.clear();
      for (const Ngrams& reference : segment.references) {
        for (size_t n = 1; n <= kLongestNgram; ++n) {
          const auto part = reference.of_order(n);
          ngrams.insert(ngrams.end(), part.begin(), part.end());
        }
      }
      std::sort(ngrams.begin(), ngrams.end());
      for_each_count(ngrams, [&](uint32_t ngram, size_t) { ++documents[ngram]; });
    }
    set(documents, static_cast<double>(counted.segments.size()));
  }

  InverseFrequencies(NgramTable& table, const DocumentFrequencies& frequencies) {
    std::vector<double> documents(table.size(), 0);
    for (const auto& [text, count] : frequencies.ngrams) {
      const uint32_t ngram = table.number_of(text);
      documents.resize(table.size(), 0);
      documents[ngram] = count;
    }
    set(documents, frequencies.documents);
  }

  double operator[](uint32_t ngram) const { return values_[ngram]; }

 private:
  void set(const std::vector<double>& documents, double all) {
    values_.reserve(documents.size());
    for (const double count : documents) {
      values_.push_back(std::log(all) - std::log(std::max(1.0, count)));
    }
  }
  std::vector<double> values_;
};

/// A text's n-grams with their weights.
struct Weighted {
  struct Weight {
    uint32_t ngram;
    double value;
  };
  std::array<std::vector<Weight>, kLongestNgram> orders;  ///< ascending in the n-gram
  std::array<double, kLongestNgram> norms = {};
  double length = 0;

  void set(const Ngrams& ngrams, const InverseFrequencies& inverse) {
    for (size_t n = 0; n < kLongestNgram; ++n) {
      orders[n].clear();
      double squares = 0;
      for_each_count(ngrams.of_order(n + 1), [&](uint32_t ngram, size_t count) {
        const double value = static_cast<double>(count) * inverse[ngram];
        orders[n].push_back({ngram, value});
        squares += value * value;
      });
      norms[n] = std::sqrt(squares);
    }
    length = static_cast<double>(ngrams.of_order(kLengthOrder).size());
  }
};

/// How alike a candidate and a reference are, summed over n.
double similarity(const Weighted& candidate, const Weighted& reference, CiderForm form) {
  const double difference = candidate.length - reference.length;
  const double penalty =
      form == CiderForm::d ? std::exp(-difference * difference / (2 * kSigma * kSigma)) : 1;
  double sum = 0;
  for (size_t n = 0; n < kLongestNgram; ++n) {
    double products = 0;
    auto at = reference.orders[n].begin();
    const auto end = reference.orders[n].end();
    for (const auto& [ngram, value] : candidate.orders[n]) {
      while (at != end && at->ngram < ngram) {
        ++at;
      }
      if (at != end && at->ngram == ngram) {
        products += (form == CiderForm::d ? std::min(value, at->value) : value) * at->value;
      }
    }
    if (candidate.norms[n] != 0 && reference.norms[n] != 0) {
      products /= candidate.norms[n] * reference.norms[n];
    }
    sum += products * penalty;
  }
  return sum;
}

}  // namespace

DocumentFrequencies DocumentFrequencies::read(const std::filesystem::path& file) {
  DocumentFrequencies result;
  try {
    const nlohmann::json json = nlohmann::json::parse(read_file(file));
    result.documents = json.at("num_docs").get<double>();
    for (const auto& [ngram, count] : json.at("df").items()) {
      result.ngrams.emplace_back(ngram, count.get<double>());
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::data,
                "{}: not a table of document frequencies; expected "
                "{{\"num_docs\": N, \"df\": {{\"words of an n-gram\": documents, ...}}}}: {}",
                file.string(), error.what());
  }
  if (!(result.documents >= 1)) {
    throw Error(ErrorKind::data, "{}: num_docs is {}; a table of document frequencies has at least 1",
                file.string(), result.documents);
  }
  return result;
}

SegmentScores cider_scores(CountedSegments& counted, CiderForm form, const DocumentFrequencies* frequencies) {
  const InverseFrequencies inverse =
      frequencies != nullptr ? InverseFrequencies(counted.table, *frequencies) : InverseFrequencies(counted);
  SegmentScores scores;
  scores.segments.reserve(counted.segments.size());
  Weighted candidate;
  Weighted reference;
  for (const CountedSegments::Counted& segment : counted.segments) {
    candidate.set(segment.candidate, inverse);
    double sum = 0;
    for (const Ngrams& ngrams : segment.references) {
      reference.set(ngrams, inverse);
      sum += similarity(candidate, reference, form);
    }
    const auto count = static_cast<double>(std::max<size_t>(1, segment.references.size()));
    scores.segments.push_back(kScale * sum / static_cast<double>(kLongestNgram) / count);
  }
  if (!scores.segments.empty()) {
    scores.corpus = std::accumulate(scores.segments.begin(), scores.segments.end(), 0.0) /
                    static_cast<double>(scores.segments.size());
  }
  return scores;
}

}  // namespace patchioner
