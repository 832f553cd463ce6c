#include "scoring/scoring_memory.hpp"

#include <algorithm>

namespace patchioner {
namespace {

constexpr size_t kModels = 2;  // one of CLIP-S, one of PAC-S

/// Whether the list has the key, whose entry is then its first.
template <class List>
bool to_front(List& list, const std::string& key) {
  const auto known =
      std::find_if(list.begin(), list.end(), [&](const auto& one) { return one.first == key; });
  if (known == list.end()) {
    return false;
  }
  list.splice(list.begin(), list, known);
  return true;
}

}  // namespace

const ScoringModel& ScoringMemory::model(const std::string& name, const std::string& device) {
  const std::string key = device + " " + name;
  if (!to_front(models_, key)) {
    while (models_.size() >= kModels) {
      models_.pop_back();  // before the next one is loaded
    }
    models_.emplace_front(key, ScoringModel(name, device));
  }
  return models_.front().second;
}

at::Tensor ScoringMemory::embeddings(const std::string& key, const std::function<at::Tensor()>& make) {
  if (!to_front(embeddings_, key)) {
    at::Tensor made = make();
    embeddings_.emplace_front(key, std::move(made));
    bytes_ += embeddings_.front().second.nbytes();
    while (bytes_ > most_bytes_ && embeddings_.size() > 1) {
      bytes_ -= embeddings_.back().second.nbytes();
      embeddings_.pop_back();
    }
  }
  return embeddings_.front().second;
}

}  // namespace patchioner
