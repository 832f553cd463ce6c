// The projection onto a memory bank (spec/01 section 5.1), in one pass over the rows: a softmax over all rows
// is a running maximum and sums that are rescaled when it grows.
#include <ATen/Parallel.h>

#include <algorithm>
#include <limits>
#include <patchioner/error.hpp>
#include <vector>

#include "memory/memory_bank.hpp"

namespace patchioner {
namespace {

// One chunk's similarities hold so many numbers (16 MB), and two or three tensors of their size live at once.
// Fewer rows make the matrix products slower (measured on an AMD EPYC: 4096 rows a third of the speed of
// 16384), more gain nothing.
constexpr int64_t kNumbersAtOnce = int64_t{1} << 22;
constexpr int64_t kMostFeaturesAtOnce = 1024;
constexpr int64_t kMostRowsAtOnce = 65536;

int64_t rows_at_once(int64_t features) {
  return std::clamp<int64_t>(kNumbersAtOnce / std::max<int64_t>(features, 1), 1, kMostRowsAtOnce);
}

at::Tensor checked_features(const at::Tensor& features, const MemoryBank& bank) {
  if (features.dim() != 2 || features.size(1) != bank.dim()) {
    throw Error(ErrorKind::data,
                "features of width {} cannot be compared with a memory bank of width {}; the bank belongs to "
                "another backbone",
                features.dim() == 0 ? 0 : features.size(-1), bank.dim());
  }
  return features.to(bank.embeddings().device(), at::kFloat);  // [R,D]
}

/// Cosine similarities of a chunk of rows with unit features, transposed: the bank's rows come first in both
/// products, which is the order in which they are fastest.
at::Tensor similarities(const MemoryBank& bank, int64_t begin, int64_t count,
                        const at::Tensor& unit_features) {
  at::Tensor result = at::mm(bank.embeddings().narrow(0, begin, count), unit_features.t());  // [C,R]
  return result.div_(bank.row_norms().narrow(0, begin, count).unsqueeze(1));                 // [C,R]
}

/// Running maximum and sum of exponentials of scaled similarities, one a feature.
struct RunningSoftmax {
  at::Tensor maximum;  ///< [R]
  at::Tensor sum;      ///< [R]

  explicit RunningSoftmax(const at::Tensor& features)
      : maximum(at::full({features.size(0)}, -std::numeric_limits<float>::infinity(), features.options())),
        sum(at::zeros({features.size(0)}, features.options())) {}

  /// Turns scaled similarities [C,R] into exponentials, in place, and gives the factor [R] for what was
  /// summed before.
  at::Tensor add(at::Tensor& scaled) {
    const at::Tensor larger = at::maximum(maximum, scaled.amax(0));  // [R]
    const at::Tensor factor = at::exp(maximum - larger);             // [R]
    maximum = larger;
    scaled.sub_(larger).exp_();
    sum = sum * factor + scaled.sum(0);
    return factor;
  }
};

at::Tensor project_block(const MemoryBank& bank, const at::Tensor& features,
                         const ProjectionOptions& options) {
  const at::Tensor unit = features / features.norm(2, 1, true);                         // [R,D]
  at::Tensor weighted = at::zeros({bank.dim(), features.size(0)}, features.options());  // [D,R]
  RunningSoftmax softmax(features);
  const int64_t step = rows_at_once(features.size(0));
  for (int64_t begin = 0; begin < bank.rows(); begin += step) {
    const int64_t count = std::min(step, bank.rows() - begin);
    at::Tensor weights = similarities(bank, begin, count, unit).div_(options.temperature);  // [C,R]
    const at::Tensor factor = softmax.add(weights);
    if (options.normalize_memory) {
      weights.div_(bank.row_norms().narrow(0, begin, count).unsqueeze(1));
    }
    weighted.mul_(factor).addmm_(bank.embeddings().narrow(0, begin, count).t(), weights);  // [D,R]
  }
  at::Tensor result = (weighted / softmax.sum).t().contiguous();  // [R,D]
  return options.normalize ? result / result.norm(2, 1, true) : result;
}

/// A row and its similarity; the better one comes first.
struct Candidate {
  float similarity;
  int64_t row;

  bool better_than(const Candidate& other) const {
    return similarity > other.similarity || (similarity == other.similarity && row < other.row);
  }
};

/// Keeps the best `count` candidates, sorted.
void offer(std::vector<Candidate>& best, size_t count, Candidate candidate) {
  if (best.size() == count && !candidate.better_than(best.back())) {
    return;
  }
  const auto place = std::find_if(best.begin(), best.end(),
                                  [&](const Candidate& other) { return candidate.better_than(other); });
  best.insert(place, candidate);
  if (best.size() > count) {
    best.pop_back();
  }
}

}  // namespace

at::Tensor MemoryBank::project(const at::Tensor& features, const ProjectionOptions& options) const {
  const at::Tensor all = checked_features(features, *this);
  std::vector<at::Tensor> blocks;
  for (int64_t begin = 0; begin < all.size(0); begin += kMostFeaturesAtOnce) {
    blocks.push_back(project_block(
        *this, all.narrow(0, begin, std::min(kMostFeaturesAtOnce, all.size(0) - begin)), options));
  }
  if (blocks.empty()) {
    return at::empty_like(features);
  }
  return at::cat(blocks).to(features.device());
}

std::vector<std::vector<MemoryMatch>> MemoryBank::nearest(const at::Tensor& features, int64_t count,
                                                          double temperature) const {
  const at::Tensor all = checked_features(features, *this);
  const auto wanted = static_cast<size_t>(std::clamp<int64_t>(count, 0, rows()));
  std::vector<std::vector<MemoryMatch>> matches(static_cast<size_t>(all.size(0)));
  for (int64_t first = 0; first < all.size(0) && wanted > 0; first += kMostFeaturesAtOnce) {
    const int64_t block = std::min(kMostFeaturesAtOnce, all.size(0) - first);
    const at::Tensor part = all.narrow(0, first, block);
    const at::Tensor unit = part / part.norm(2, 1, true);  // [R,D]
    RunningSoftmax softmax(part);
    std::vector<std::vector<Candidate>> best(static_cast<size_t>(block));
    const int64_t step = rows_at_once(block);
    for (int64_t begin = 0; begin < rows(); begin += step) {
      const int64_t chunk = std::min(step, rows() - begin);
      at::Tensor cosines = similarities(*this, begin, chunk, unit);  // [C,R]
      const at::Tensor by_feature = cosines.t().contiguous().cpu();  // [R,C]
      const float* values = by_feature.const_data_ptr<float>();
      at::parallel_for(0, block, 1, [&](int64_t from, int64_t to) {
        for (int64_t feature = from; feature < to; ++feature) {
          for (int64_t row = 0; row < chunk; ++row) {
            offer(best[static_cast<size_t>(feature)], wanted, {values[feature * chunk + row], begin + row});
          }
        }
      });
      softmax.add(cosines.div_(temperature));
    }
    const at::Tensor maximum = softmax.maximum.to(at::kCPU, at::kDouble);
    const at::Tensor sum = softmax.sum.to(at::kCPU, at::kDouble);
    for (int64_t feature = 0; feature < block; ++feature) {
      for (const Candidate& candidate : best[static_cast<size_t>(feature)]) {
        const double scaled = candidate.similarity / temperature - maximum.const_data_ptr<double>()[feature];
        matches[static_cast<size_t>(first + feature)].push_back(
            {texts_[static_cast<size_t>(candidate.row)], candidate.similarity,
             std::exp(scaled) / sum.const_data_ptr<double>()[feature], candidate.row});
      }
    }
  }
  return matches;
}

}  // namespace patchioner
