// What is dear to build and not always needed: it is built at its first use.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace patchioner {

/// A value that `make` builds when it is asked for the first time; copies share it. A `make` that throws is
/// called again at the next use. [any-thread]
template <class T>
class Lazy {
 public:
  using Make = std::function<std::shared_ptr<const T>()>;

  /// Nothing.
  Lazy() = default;
  explicit Lazy(Make make) : state_(std::make_shared<State>()) { state_->make = std::move(make); }

  /// Whether there is something to be built.
  explicit operator bool() const { return state_ != nullptr; }

  const T& operator*() const {
    std::call_once(state_->once, [this] { state_->value = state_->make(); });
    return *state_->value;
  }
  const T* operator->() const { return &**this; }

 private:
  struct State {
    Make make;
    std::once_flag once;
    std::shared_ptr<const T> value;
  };
  std::shared_ptr<State> state_;
};

}  // namespace patchioner
