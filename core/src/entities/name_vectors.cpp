#include "entities/name_vectors.hpp"

namespace patchioner {

void NameVectors::keep(std::span<const std::string> vocabulary, const at::Tensor& vectors) {
  const std::lock_guard lock(mutex_);
  rows_.clear();
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    rows_.emplace(vocabulary[i], static_cast<int64_t>(i));
  }
  vectors_ = vectors.to(at::kCPU, at::kFloat);  // [N,D]
}

at::Tensor NameVectors::known(const std::string& name) const {
  if (const auto row = rows_.find(name); row != rows_.end()) {
    return vectors_[row->second];
  }
  const auto other = others_.find(name);
  return other == others_.end() ? at::Tensor() : other->second;
}

at::Tensor NameVectors::of(std::span<const std::string> names, const Encode& encode) {
  std::vector<at::Tensor> rows(names.size());
  std::vector<std::string> unknown;
  std::vector<size_t> places;
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < names.size(); ++i) {
      rows[i] = known(names[i]);
      if (!rows[i].defined()) {
        unknown.push_back(names[i]);
        places.push_back(i);
      }
    }
  }
  if (!unknown.empty()) {
    const at::Tensor encoded = encode(unknown).to(at::kCPU, at::kFloat);  // [n,D]
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < places.size(); ++i) {
      rows[places[i]] = encoded[static_cast<int64_t>(i)];
      if (others_.size() >= most_) {
        others_.clear();
      }
      others_.emplace(unknown[i],
                      rows[places[i]].clone());  // a view would hold all that were encoded with it
    }
  }
  return rows.empty() ? at::zeros({0, 0}, at::kFloat) : at::stack(rows);  // [N,D]
}

}  // namespace patchioner
