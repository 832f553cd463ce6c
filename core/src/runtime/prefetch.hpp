// Work done ahead of its use: images are read and prepared on threads of their own, so that the encoder never
// waits for a disk, and come out in the order in which they were asked for.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

namespace patchioner {

/// `source` gives one job after the other, or nothing at the end; it is called by one thread at a time and
/// may block, but then looks at its stop token. Jobs run on `threads` threads, at most `window` of them ahead
/// of the last one taken.
template <class Result>
class Prefetch {
 public:
  using Job = std::function<Result()>;
  using Source = std::function<std::optional<Job>(const std::stop_token&)>;

  Prefetch(Source source, size_t threads, size_t window)
      : source_(std::move(source)), window_(std::max<size_t>(window, 1)) {
    for (size_t i = 0; i < std::max<size_t>(threads, 1); ++i) {
      threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }
  }

  /// Stops after the jobs in flight.
  ~Prefetch() {
    for (std::jthread& thread : threads_) {
      thread.request_stop();
    }
    changed_.notify_all();
  }

  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  /// The next result, in order; nothing at the end. `give_up` is asked first, also when a result is there,
  /// and then between waits of at most a tenth of a second; when it says so nothing is returned either. With
  /// `only_if_known` it waits only for a job that the source has already given, for sources that are fed by
  /// hand. What a job threw is thrown here. [one-thread]
  std::optional<Result> next(bool only_if_known, const std::function<bool()>& give_up) {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (slots_.empty() && (ended_ || only_if_known)) {
        return std::nullopt;
      }
      if (give_up()) {
        return std::nullopt;
      }
      if (!slots_.empty() && slots_.front()->done) {
        break;
      }
      changed_.wait_for(lock, std::chrono::milliseconds(100));
    }
    const std::shared_ptr<Slot> slot = std::move(slots_.front());
    slots_.pop_front();
    lock.unlock();
    changed_.notify_all();
    if (slot->error) {
      std::rethrow_exception(slot->error);
    }
    return std::move(slot->result);
  }

 private:
  struct Slot {
    std::optional<Result> result;
    std::exception_ptr error;
    bool done = false;
  };

  void work(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      Job job;
      const std::shared_ptr<Slot> slot = take(stop, job);
      if (slot == nullptr) {
        return;
      }
      try {
        slot->result = job();
      } catch (...) {
        slot->error = std::current_exception();
      }
      {
        const std::lock_guard lock(mutex_);
        slot->done = true;
      }
      changed_.notify_all();
    }
  }

  /// Asks the source; the order of the slots is the order of its answers.
  std::shared_ptr<Slot> take(const std::stop_token& stop, Job& job) {
    const std::lock_guard one_at_a_time(source_mutex_);
    {
      std::unique_lock lock(mutex_);
      while (slots_.size() >= window_ && !stop.stop_requested()) {
        changed_.wait_for(lock, std::chrono::milliseconds(100));
      }
      if (ended_ || stop.stop_requested()) {
        return nullptr;
      }
    }
    auto slot = std::make_shared<Slot>();
    std::optional<Job> given;
    bool failed = false;
    try {
      given = source_(stop);
    } catch (...) {
      slot->error = std::current_exception();
      slot->done = true;
      failed = true;
    }
    const std::lock_guard lock(mutex_);
    if (!given) {
      ended_ = true;
      if (failed) {
        slots_.push_back(slot);
      }
      changed_.notify_all();
      return nullptr;
    }
    job = std::move(*given);
    slots_.push_back(slot);
    return slot;
  }

  Source source_;
  size_t window_;
  std::mutex source_mutex_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Slot>> slots_;
  bool ended_ = false;
  std::vector<std::jthread> threads_;  // last: they are joined before anything that they use goes away
};

}  // namespace patchioner
