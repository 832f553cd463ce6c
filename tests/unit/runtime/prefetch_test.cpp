#include "runtime/prefetch.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>

using namespace patchioner;

namespace {

using Numbers = Prefetch<int>;
const auto kNever = [] { return false; };

/// Counts from 0 to `end` - 1; early numbers take longest, so that order does not come by itself.
Numbers::Source counting(int end, std::atomic<int>* given = nullptr) {
  return [end, given, next = 0](const std::stop_token&) mutable -> std::optional<Numbers::Job> {
    if (next == end) {
      return std::nullopt;
    }
    const int number = next++;
    if (given != nullptr) {
      *given = next;
    }
    return [number] {
      std::this_thread::sleep_for(std::chrono::milliseconds(number % 3 == 0 ? 5 : 0));
      return number;
    };
  };
}

}  // namespace

TEST_CASE("results come in the order of the jobs whatever they take") {
  Numbers numbers(counting(50), 4, 8);
  for (int i = 0; i < 50; ++i) {
    CHECK(numbers.next(false, kNever) == i);
  }
  CHECK(numbers.next(false, kNever) == std::nullopt);
  CHECK(numbers.next(false, kNever) == std::nullopt);
}

TEST_CASE("no more jobs are taken ahead than the window allows") {
  std::atomic<int> given = 0;
  Numbers numbers(counting(100, &given), 3, 5);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(given <= 5);
  CHECK(numbers.next(false, kNever) == 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(given <= 6);
}

TEST_CASE("what a job throws is thrown in its place, and the others go on") {
  int next = 0;
  Numbers numbers(
      [&](const std::stop_token&) -> std::optional<Numbers::Job> {
        const int number = next++;
        if (number == 3) {
          return std::nullopt;
        }
        return [number] { return number == 1 ? throw std::runtime_error("one") : number; };
      },
      2, 4);
  CHECK(numbers.next(false, kNever) == 0);
  CHECK_THROWS_WITH(numbers.next(false, kNever), "one");
  CHECK(numbers.next(false, kNever) == 2);
  CHECK(numbers.next(false, kNever) == std::nullopt);
}

TEST_CASE("a source that throws ends the work after what it gave before") {
  int next = 0;
  Numbers numbers(
      [&](const std::stop_token&) -> std::optional<Numbers::Job> {
        if (next++ == 1) {
          throw std::runtime_error("the source is gone");
        }
        return [] { return 7; };
      },
      2, 4);
  CHECK(numbers.next(false, kNever) == 7);
  CHECK_THROWS_WITH(numbers.next(false, kNever), "the source is gone");
  CHECK(numbers.next(false, kNever) == std::nullopt);
}

TEST_CASE("a source fed by hand is not waited for when only known jobs are wanted") {
  std::atomic<bool> more = false;
  int next = 0;
  Numbers numbers(
      [&](const std::stop_token& stop) -> std::optional<Numbers::Job> {
        if (next == 1) {
          while (!more && !stop.stop_requested()) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
          }
        }
        if (next == 2) {
          return std::nullopt;
        }
        return [number = next++] { return number; };
      },
      2, 4);
  CHECK(numbers.next(false, kNever) == 0);
  CHECK(numbers.next(true, kNever) == std::nullopt);
  more = true;
  CHECK(numbers.next(false, kNever) == 1);
}

TEST_CASE("waiting ends when it is given up, and destruction does not wait for the source") {
  Numbers numbers(
      [](const std::stop_token& stop) -> std::optional<Numbers::Job> {
        while (!stop.stop_requested()) {
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return std::nullopt;
      },
      2, 4);
  CHECK(numbers.next(false, [] { return true; }) == std::nullopt);
}

TEST_CASE("who gives up gets nothing, also when results are ready") {
  Numbers numbers(counting(10), 2, 4);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(numbers.next(false, [] { return true; }) == std::nullopt);
  CHECK(numbers.next(false, kNever) == 0);
}
