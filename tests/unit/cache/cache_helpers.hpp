// What the tests of the stage cache do again and again.
#pragma once

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "cache/stage_cache.hpp"
#include "support/files.hpp"

namespace patchioner {

inline const StageKey kKey{Stage::encode, "0123abcd"};

/// A writer of `content` for StageLease::put.
inline std::function<void(const std::filesystem::path&)> content(std::string text) {
  return [text = std::move(text)](const std::filesystem::path& path) {
    std::ofstream(path, std::ios::binary) << text;
  };
}

/// Makes an entry of one part.
inline void compute(StageCache& cache, const StageKey& key, const std::string& text = "content") {
  const std::unique_ptr<StageLease> lease = cache.acquire(key);
  REQUIRE(lease != nullptr);
  REQUIRE(lease->put("part", content(text)));
  REQUIRE(lease->finish({{"about", text.substr(0, 3)}}, 1));
}

/// The lease, as soon as there is one. Whether there will be one is the test's question; how long it takes is
/// not, so that this waits for a minute.
inline std::unique_ptr<StageLease> acquire_in_time(StageCache& cache, const StageKey& key) {
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < std::chrono::minutes(1)) {
    if (std::unique_ptr<StageLease> lease = cache.acquire(key)) {
      return lease;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return nullptr;
}

/// Another process, which runs `work` and ends with the code that it returns; killed with the object.
class Child {
 public:
  explicit Child(const std::function<int()>& work) : id_(::fork()) {
    REQUIRE(id_ >= 0);
    if (id_ == 0) {
      int code = 100;
      try {
        code = work();
      } catch (const std::exception& error) {
        std::fprintf(stderr, "in the child: %s\n", error.what());
      }
      ::_exit(code);
    }
  }
  ~Child() {
    if (!ended_) {
      ::kill(id_, SIGKILL);
      ::waitpid(id_, nullptr, 0);
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Waits until it has stopped itself by SIGSTOP.
  void wait_until_stopped() const {
    int status = 0;
    REQUIRE(::waitpid(id_, &status, WUNTRACED) == id_);
    REQUIRE(WIFSTOPPED(status));
  }
  void send(int signal) const { REQUIRE(::kill(id_, signal) == 0); }
  /// Its exit code; 128 and the signal that ended it.
  int wait() {
    int status = 0;
    REQUIRE(::waitpid(id_, &status, 0) == id_);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t id_;
  bool ended_ = false;
};

}  // namespace patchioner
