#include "entities/name_vectors.hpp"

namespace patchioner {
namespace {

/// Names remembered: 32 MB of vectors 512 wide, and more than a lexicon has.
constexpr size_t kMostNames = 16384;

}  // namespace

void NameVectors::remember(std::span<const std::string> names, const at::Tensor& vectors) {
  const at::Tensor rows = vectors.to(at::kCPU, at::kFloat);  // [N,D]
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < names.size() && vectors_.size() < kMostNames; ++i) {
    vectors_.emplace(names[i], rows[static_cast<int64_t>(i)].clone());
  }
}

at::Tensor NameVectors::of(std::span<const std::string> names, const Encode& encode) {
  std::vector<at::Tensor> rows(names.size());
  std::vector<std::string> unknown;
  std::vector<size_t> places;
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < names.size(); ++i) {
      if (const auto found = vectors_.find(names[i]); found != vectors_.end()) {
        rows[i] = found->second;
      } else {
        unknown.push_back(names[i]);
        places.push_back(i);
      }
    }
  }
  if (!unknown.empty()) {
    const at::Tensor encoded = encode(unknown).to(at::kCPU, at::kFloat);  // [n,D]
    for (size_t i = 0; i < places.size(); ++i) {
      rows[places[i]] = encoded[static_cast<int64_t>(i)];
    }
    remember(unknown, encoded);
  }
  return rows.empty() ? at::zeros({0, 0}, at::kFloat) : at::stack(rows);  // [N,D]
}

}  // namespace patchioner
