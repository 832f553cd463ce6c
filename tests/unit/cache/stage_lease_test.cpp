// Several processes that want one entry.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>

#include <nlohmann/json.hpp>

#include "cache/lease_file.hpp"
#include "cache_helpers.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

constexpr double kShort = 0.3;
constexpr double kLong = 3600;

StageCacheOptions options(const TestFolder& folder, double lease_seconds) {
  return {.folder = folder / "cache", .limit = 0, .lease_seconds = lease_seconds};
}

std::filesystem::path lease_file(const TestFolder& folder) {
  return folder / "cache/encode/0123abcd.lease";
}

/// A holder on a machine that this one cannot look into.
Holder holder_elsewhere(double lease_seconds) {
  Holder holder = new_holder(lease_seconds);
  holder.host = "elsewhere";
  holder.boot = "another";
  return holder;
}

}  // namespace

TEST_CASE("after a kill the next process goes on at once, with the parts and the seconds that there are") {
  const TestFolder folder;
  Child child([&] {
    StageCache cache(options(folder, kLong));
    const auto lease = cache.acquire(kKey);
    if (!lease->put("one", content("1"))) {
      return 1;
    }
    lease->note_seconds(100);
    if (!lease->put("two", content("2"))) {
      return 1;
    }
    (void)lease->put("three", [](const std::filesystem::path& path) {
      content("half")(path);
      ::raise(SIGKILL);
    });
    return 2;
  });
  StageCache cache(options(folder, kLong));
  CHECK(child.wait() == 128 + SIGKILL);
  CHECK(cache.list().at(0).seconds >= 100);
  const auto lease = cache.acquire(kKey);
  REQUIRE(lease != nullptr);
  CHECK(lease->has("one"));
  CHECK(lease->has("two"));
  CHECK_FALSE(lease->has("three"));
  CHECK(std::distance(std::filesystem::directory_iterator(folder / "cache/encode/0123abcd"), {}) == 3);
  CHECK(lease->put("three", content("3")));
  CHECK(lease->finish({}, 10));
  CHECK(cache.open(kKey)->seconds() >= 110);
  CHECK(cache.open(kKey)->seconds() < 170);  // not noted and measured both
  CHECK(cache.open(kKey)->parts() == std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("a process that was killed and that nobody has waited for is dead as well") {
  const TestFolder folder;
  Child child([&] {
    StageCache cache(options(folder, kLong));
    const auto lease = cache.acquire(kKey);
    ::raise(SIGSTOP);
    return 0;
  });
  child.wait_until_stopped();
  StageCache cache(options(folder, kLong));
  CHECK(cache.acquire(kKey) == nullptr);
  child.send(SIGKILL);
  CHECK(acquire_in_time(cache, kKey) != nullptr);
}

TEST_CASE("a number that was given to another process since does not keep a lease alive") {
  const TestFolder folder;
  StageCache cache(options(folder, kLong));
  Holder holder = new_holder(kLong);
  folder.write("cache/encode/0123abcd.lease", lease_text(holder));
  CHECK(cache.acquire(kKey) == nullptr);
  holder.started -= 1;
  folder.write("cache/encode/0123abcd.lease", lease_text(holder));
  CHECK(cache.acquire(kKey) != nullptr);
}

TEST_CASE("a holder that was stopped too long loses the lease, and notices") {
  const TestFolder folder;
  Child child([&] {
    StageCache cache(options(folder, kShort));
    const auto lease = cache.acquire(kKey);
    if (!lease->put("one", content("of the first"))) {
      return 1;
    }
    ::raise(SIGSTOP);  // the other one takes the lease, and holds it
    if (lease->is_held() || lease->put("one", content("late")) || lease->put("two", content("late"))) {
      return 2;
    }
    ::raise(SIGSTOP);  // the other one finishes the entry
    return lease->put("one", content("later")) || lease->finish({{"by", "the first"}}, 1) ? 3 : 0;
  });
  child.wait_until_stopped();
  StageCache cache(options(folder, kShort));
  auto lease = acquire_in_time(cache, kKey);
  REQUIRE(lease != nullptr);
  CHECK(read_file(lease->part("one")) == "of the first");
  child.send(SIGCONT);
  child.wait_until_stopped();
  CHECK(lease->is_held());
  CHECK(lease->put("two", content("of the second")));
  CHECK(lease->finish({{"by", "the second"}}, 1));
  lease.reset();
  child.send(SIGCONT);
  CHECK(child.wait() == 0);
  const auto entry = cache.open(kKey);
  CHECK(entry->facts()["by"] == "the second");
  CHECK(entry->parts() == std::vector<std::string>{"one", "two"});
  CHECK(read_file(entry->part("one")) == "of the first");
  CHECK(read_file(entry->part("two")) == "of the second");
  CHECK(std::distance(std::filesystem::directory_iterator(folder / "cache/encode/0123abcd"), {}) == 3);
}

TEST_CASE("a holder that slept while it wrote drops its part, and the lease of the other one stays") {
  const TestFolder folder;
  Child child([&] {
    StageCache cache(options(folder, kShort));
    auto lease = cache.acquire(kKey);
    const bool kept = lease->put("part", [](const std::filesystem::path& path) {
      ::raise(SIGSTOP);
      content("late")(path);
    });
    lease.reset();
    return kept ? 1 : 0;
  });
  child.wait_until_stopped();
  StageCache cache(options(folder, kShort));
  const auto lease = acquire_in_time(cache, kKey);
  REQUIRE(lease != nullptr);
  child.send(SIGCONT);
  CHECK(child.wait() == 0);
  CHECK(lease->is_held());
  CHECK_FALSE(lease->has("part"));
  CHECK(std::filesystem::is_empty(folder / "cache/encode/0123abcd"));
  CHECK(lease->finish({}, 0));
}

TEST_CASE("a late holder drops its result also when its entry was taken away meanwhile") {
  const TestFolder folder;
  Child child([&] {
    StageCache cache(options(folder, kShort));
    const auto lease = cache.acquire(kKey);
    const bool put = lease->put("part", content("x"));
    ::raise(SIGSTOP);
    return put && !lease->put("more", content("y")) && !lease->finish({}, 0) ? 0 : 1;
  });
  child.wait_until_stopped();
  StageCache cache(options(folder, kShort));
  REQUIRE(acquire_in_time(cache, kKey) != nullptr);  // and given back at once
  cache.remove(kKey);
  child.send(SIGCONT);
  CHECK(child.wait() == 0);
  CHECK(cache.list().empty());
}

TEST_CASE("a holder elsewhere is alive as long as its beats are seen to grow") {
  const TestFolder folder;
  StageCache cache(options(folder, kShort));
  Holder holder = holder_elsewhere(kShort);
  const auto begin = std::chrono::steady_clock::now();
  // Rewritten in place as LeaseKeeper does, for several times the lease's time; a loop that the machine keeps
  // waiting for longer than the lease lasts has nothing to say.
  bool beat_in_time = true;
  std::unique_ptr<StageLease> lease;
  while (beat_in_time &&
         std::chrono::steady_clock::now() - begin < std::chrono::duration<double>(4 * kShort)) {
    const auto before = std::chrono::steady_clock::now();
    ++holder.beats;
    folder.write("cache/encode/0123abcd.lease", lease_text(holder));
    lease = cache.acquire(kKey);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    beat_in_time = std::chrono::steady_clock::now() - before < std::chrono::duration<double>(kShort);
    if (beat_in_time) {
      CHECK(lease == nullptr);
    }
  }
  CHECK(acquire_in_time(cache, kKey) != nullptr);
}

TEST_CASE("how old the file of a lease is says nothing") {
  const TestFolder folder;
  StageCache cache(options(folder, kLong));
  folder.write("cache/encode/0123abcd.lease", lease_text(holder_elsewhere(kLong)));
  using Clock = std::filesystem::file_time_type::clock;
  std::filesystem::last_write_time(lease_file(folder), Clock::now() - std::chrono::hours(10000));
  CHECK(cache.acquire(kKey) == nullptr);
  CHECK(cache.acquire(kKey) == nullptr);
}

TEST_CASE("a holder that gives signs of life more slowly is given its own time") {
  const TestFolder folder;
  StageCache cache(options(folder, 0.001));
  folder.write("cache/encode/0123abcd.lease", lease_text(holder_elsewhere(kLong)));
  CHECK(cache.acquire(kKey) == nullptr);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(cache.acquire(kKey) == nullptr);
}

TEST_CASE("half a lease, of a machine that lost its power, is waited for and then taken") {
  const TestFolder folder;
  StageCache cache(options(folder, kShort));
  folder.write("cache/encode/0123abcd.lease", R"({"version":1,"tok)");
  CHECK(acquire_in_time(cache, kKey) != nullptr);
  StageCache patient(options(folder, kLong));
  folder.write("cache/encode/0123abcd.lease", "");
  CHECK(patient.acquire(kKey) == nullptr);
  CHECK(patient.acquire(kKey) == nullptr);
}

TEST_CASE("a holder gives signs of life while it works") {
  const TestFolder folder;
  StageCache cache(options(folder, 0.04));
  const auto lease = cache.acquire(kKey);
  const auto beats = [&] {
    const std::optional<Holder> holder = holder_from(read_file(lease_file(folder)));
    return holder ? holder->beats : 0;
  };
  const auto begin = std::chrono::steady_clock::now();
  while (beats() < 12 && std::chrono::steady_clock::now() - begin < std::chrono::minutes(1)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(beats() >= 12);
  CHECK(lease->is_held());
}

TEST_CASE("processes that want the same entries compute each of them once") {
  constexpr int kProcesses = 4;
  constexpr int kKeys = 50;
  const TestFolder folder;
  std::vector<StageKey> keys;
  for (int i = 0; i < kKeys; ++i) {
    keys.push_back({Stage::decode, fmt::format("{:04x}", i)});
  }
  std::vector<std::unique_ptr<Child>> children;
  for (int process = 0; process < kProcesses; ++process) {
    children.push_back(std::make_unique<Child>([&] {
      StageCache cache(options(folder, kLong));  // all of them make the folder, too
      for (size_t finished = 0; finished < keys.size();) {
        finished = 0;
        for (const StageKey& key : keys) {
          if (const auto lease = cache.acquire(key)) {
            const std::string mark = fmt::format("{} {}\n", to_string(key), ::getpid());
            const int log = ::open((folder / "computed").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
            const bool logged = ::write(log, mark.data(), mark.size()) == static_cast<ssize_t>(mark.size());
            ::close(log);
            if (!logged || !lease->put("part", content(mark)) || !lease->finish({}, 1)) {
              return 1;
            }
          }
          finished += cache.contains(key) ? 1 : 0;
        }
      }
      return 0;
    }));
  }
  for (const auto& child : children) {
    CHECK(child->wait() == 0);
  }
  const std::string computed = read_file(folder / "computed");
  CHECK(std::count(computed.begin(), computed.end(), '\n') == kKeys);
  StageCache cache(options(folder, kLong));
  for (const StageKey& key : keys) {
    CHECK(contains(computed, to_string(key) + " "));
    CHECK(cache.problems(key).empty());
  }
}
