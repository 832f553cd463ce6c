#include "entities/name_similarity.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>
#include <string_view>
#include <utility>

#include "entities/concepts.hpp"
#include "entities/entity_embeddings.hpp"
#include "nn/unit_length.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

/// Standard deviations above the mean: 0.55 in Talk2DINO's space and 0.94 in CLIP's for the names of COCO,
/// where MiniLM's threshold is 0.55.
constexpr double kDeviations = 3.6;

class EncoderSimilarity final : public NameSimilarity {
 public:
  using Encode = std::function<at::Tensor(std::span<const std::string> names)>;
  explicit EncoderSimilarity(Encode encode) : encode_(std::move(encode)) {}

  at::Tensor between(const std::vector<std::string>& names) const override {
    if (names.empty()) {
      return at::zeros({0, 0}, at::kFloat);
    }
    return name_similarities(encode_(names)).to(at::kCPU);
  }

 private:
  Encode encode_;
};

class TableSimilarity final : public NameSimilarity {
 public:
  TableSimilarity(const std::filesystem::path& names, const std::filesystem::path& embeddings)
      : place_(names.string()) {
    const std::string content = read_file(names);
    std::string_view rest = content;
    for (int64_t line = 1; !rest.empty(); ++line) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      std::string_view name = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (name.ends_with('\r')) {
        name.remove_suffix(1);
      }
      if (name.empty()) {
        throw Error(ErrorKind::data, "{}:{}: the name is empty; each line is the name of one row of {}",
                    place_, line, embeddings.string());
      }
      if (!rows_.emplace(name, line - 1).second) {
        throw Error(ErrorKind::data, "{}:{}: the name '{}' is there twice", place_, line, name);
      }
    }
    if (rows_.empty()) {
      throw Error(ErrorKind::data, "{}: the table has no names", place_);
    }
    embeddings_ = read_entity_embeddings(embeddings, rows_.size(), place_);
  }

  at::Tensor between(const std::vector<std::string>& names) const override {
    const auto count = static_cast<int64_t>(names.size());
    at::Tensor vectors = at::zeros({count, embeddings_.size(1)}, at::kFloat);  // [n,D]
    for (int64_t i = 0; i < count; ++i) {
      const auto found = rows_.find(names[static_cast<size_t>(i)]);
      if (found != rows_.end()) {
        vectors[i].copy_(embeddings_[found->second]);
      } else if (!warned_.exchange(true)) {
        log(LogLevel::warning, "{}: it has no '{}', and perhaps not other names; they are like no other name",
            place_, names[static_cast<size_t>(i)]);
      }
    }
    return name_similarities(vectors).fill_diagonal_(1.0);
  }

 private:
  std::string place_;
  std::unordered_map<std::string, int64_t> rows_;
  at::Tensor embeddings_;  // [M,D]
  mutable std::atomic<bool> warned_ = false;
};

class LexicalSimilarity final : public NameSimilarity {
 public:
  LexicalSimilarity(NounExtractor singulars, WordMap aliases, std::vector<std::vector<std::string>> synonyms)
      : singulars_(std::move(singulars)), aliases_(std::move(aliases)), synonyms_(std::move(synonyms)) {}

  at::Tensor between(const std::vector<std::string>& names) const override {
    const auto count = static_cast<int64_t>(names.size());
    at::Tensor alike = at::eye(count, at::kFloat);
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t j = 0; j < i; ++j) {
        if (are_alike(names[static_cast<size_t>(i)], names[static_cast<size_t>(j)])) {
          alike[i][j] = 1.0;
          alike[j][i] = 1.0;
        }
      }
    }
    return alike;
  }

 private:
  /// The name with its last word in the singular.
  std::string singular(const std::string& name) const {
    const size_t space = name.find_last_of(' ');
    const size_t begin = space == std::string::npos ? 0 : space + 1;
    return name.substr(0, begin) + singulars_.lemma(name.substr(begin));
  }

  bool is_alias(const std::string& word, const std::string& meaning) const {
    const auto found = aliases_.find(word);
    return found != aliases_.end() && found->second == meaning;
  }

  bool are_alike(const std::string& left, const std::string& right) const {
    const auto has = [](const std::vector<std::string>& group, const std::string& name) {
      return std::find(group.begin(), group.end(), name) != group.end();
    };
    return singular(left) == singular(right) || is_alias(left, right) || is_alias(right, left) ||
           std::any_of(synonyms_.begin(), synonyms_.end(),
                       [&](const auto& group) { return has(group, left) && has(group, right); });
  }

  NounExtractor singulars_;
  WordMap aliases_;
  std::vector<std::vector<std::string>> synonyms_;
};

}  // namespace

std::unique_ptr<NameSimilarity> encoder_similarity(
    std::function<at::Tensor(std::span<const std::string> names)> encode) {
  return std::make_unique<EncoderSimilarity>(std::move(encode));
}

std::unique_ptr<NameSimilarity> table_similarity(const std::filesystem::path& names,
                                                 const std::filesystem::path& embeddings) {
  return std::make_unique<TableSimilarity>(names, embeddings);
}

std::unique_ptr<NameSimilarity> lexical_similarity(NounExtractor singulars, WordMap aliases,
                                                   std::vector<std::vector<std::string>> synonyms) {
  return std::make_unique<LexicalSimilarity>(std::move(singulars), std::move(aliases), std::move(synonyms));
}

double similarity_threshold(const at::Tensor& embeddings, const std::string& place) {
  const at::Tensor units = unit_rows(embeddings.to(at::kCPU, at::kDouble));  // [M,D]
  const auto count = static_cast<double>(units.size(0));
  if (units.size(0) < 2 || (units.norm(2, -1) < 0.5).any().item<bool>()) {
    throw Error(
        ErrorKind::data,
        "{}: the threshold of name similarity is found from a vocabulary of two or more names whose vectors "
        "are not zero; here are {} names",
        place, units.size(0));
  }
  // Sums over all pairs without a table of all pairs: those of u_i . u_j and of its square.
  const double sum = units.sum(0).square().sum().item<double>() - count;
  const double squares = at::matmul(units.t(), units).square().sum().item<double>() - count;
  const double pairs = count * (count - 1);
  const double mean = sum / pairs;
  return mean + kDeviations * std::sqrt(std::max(0.0, squares / pairs - mean * mean));
}

}  // namespace patchioner
