#include <patchioner/weights.hpp>

#include "checkpoint/state_dict.hpp"

namespace patchioner {

struct Weights::State {
  StateDict state_dict;
  TensorLoader loader;
};

Weights::Weights(const std::string& path, const std::string& what) {
  const StateDict state_dict = StateDict::open(path);
  state_ = std::make_shared<State>(State{state_dict, TensorLoader(state_dict, what)});
}

std::vector<std::string> Weights::names() const {
  return state_->state_dict.names();
}

bool Weights::contains(const std::string& name) const {
  return state_->state_dict.contains(name);
}

std::vector<int64_t> Weights::shape(const std::string& name) const {
  const TensorInfo* info = state_->state_dict.info(name);
  return info != nullptr ? info->shape : state_->state_dict.tensor(name).sizes().vec();
}

at::Tensor Weights::get(const std::string& name, const std::vector<int64_t>& shape) {
  return state_->loader.get(name, shape);
}

void Weights::ignore(const std::string& prefix) {
  state_->loader.ignore_prefix(prefix);
}

void Weights::finish() {
  state_->loader.finish();
}

std::string Weights::digest() const {
  return state_->state_dict.digest();
}

}  // namespace patchioner
