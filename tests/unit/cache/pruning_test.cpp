// What goes from a cache when there is too much in it, and what stays.
#include <doctest/doctest.h>

#include "cache_helpers.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

constexpr size_t kSize = 10'000;

StageKey numbered(int number, Stage stage = Stage::encode) {
  return {stage, fmt::format("{:04x}", number)};
}

/// An entry of about kSize bytes that was last used so many hours ago.
void compute_old(StageCache& cache, const StageKey& key, int hours) {
  compute(cache, key, std::string(kSize, 'x'));
  std::filesystem::last_write_time(cache.folder() / to_string(key) / "entry.json",
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours));
}

std::string keys_of(const std::vector<StageEntryInfo>& entries) {
  std::string keys;
  for (const StageEntryInfo& info : entries) {
    keys += to_string(info.key) + " ";
  }
  return keys;
}

uint64_t bytes_of(const StageCache& cache) {
  uint64_t bytes = 0;
  for (const StageEntryInfo& info : cache.list()) {
    bytes += info.bytes;
  }
  return bytes;
}

/// `parts.jsonl` of an entry that nobody computes.
void leave_unfinished(StageCache& cache, const StageKey& key) {
  const auto lease = cache.acquire(key);
  REQUIRE(lease->put("part", content(std::string(kSize, 'y'))));
}

}  // namespace

TEST_CASE("entries are listed with what they hold, and strange files are left out") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  compute(cache, numbered(2, Stage::score), "abc");
  leave_unfinished(cache, numbered(1));
  folder.write("cache/encode/notes.txt", "x");
  folder.write("cache/encode/Not-A-Digest/entry.json", "x");
  folder.write("cache/encode/ffff", "a file, not a folder");
  folder.write("cache/other/0001/entry.json", "x");
  folder.write("cache/score/0002/extra", "x");
  const std::vector<StageEntryInfo> entries = cache.list();
  CHECK(keys_of(entries) == "encode/0001 score/0002 ");
  CHECK_FALSE(entries.at(0).complete);
  CHECK(entries.at(0).bytes > kSize);
  CHECK(entries.at(0).facts.empty());
  CHECK(entries.at(1).complete);
  CHECK(entries.at(1).facts["about"] == "abc");
  CHECK(entries.at(1).seconds == 1);
  CHECK(entries.at(1).bytes == 3 + std::filesystem::file_size(folder / "cache/score/0002/entry.json"));
  CHECK(cache.shrink_to(0) > 0);
  CHECK(cache.list().empty());
  CHECK(std::filesystem::exists(folder / "cache/encode/notes.txt"));
  CHECK(std::filesystem::exists(folder / "cache/other/0001/entry.json"));
}

TEST_CASE("the least recently used entries go first, and opening one is using it") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  compute_old(cache, numbered(1), 4);
  compute_old(cache, numbered(2), 3);
  compute_old(cache, numbered(3, Stage::decode), 2);
  compute_old(cache, numbered(4), 1);
  CHECK(cache.open(numbered(1)) != nullptr);
  const uint64_t each = cache.list().front().bytes;
  const uint64_t gone = cache.shrink_to(bytes_of(cache) - each - 1);
  CHECK(keys_of(cache.list()) == "encode/0001 encode/0004 ");
  CHECK(gone == 2 * each);
  CHECK(cache.shrink_to(2 * each) == 0);
  CHECK(cache.shrink_to(2 * each - 1) == each);
  CHECK(keys_of(cache.list()) == "encode/0001 ");
}

TEST_CASE("a cache without a limit keeps all, one with a limit keeps that much") {
  const TestFolder folder;
  StageCache cache({.folder = folder / "cache", .limit = 0, .lease_seconds = 60});
  compute_old(cache, numbered(1), 2);
  compute_old(cache, numbered(2), 1);
  CHECK(cache.keep_limit() == 0);
  StageCache limited({.folder = folder / "cache", .limit = kSize + 1000, .lease_seconds = 60});
  CHECK(limited.keep_limit() > kSize);
  CHECK(keys_of(limited.list()) == "encode/0002 ");
  CHECK(limited.keep_limit() == 0);
}

TEST_CASE("unfinished entries that nobody computes go before all finished ones") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  compute_old(cache, numbered(1), 100);
  leave_unfinished(cache, numbered(2));
  const auto held = cache.acquire(numbered(3));
  CHECK(held->put("part", content("x")));
  cache.shrink_to(kSize + 1000);
  CHECK(keys_of(cache.list()) == "encode/0001 encode/0003 ");
  cache.shrink_to(0);
  CHECK(keys_of(cache.list()) == "encode/0003 ");
  cache.remove(numbered(3));
  CHECK(held->is_held());
  CHECK(held->put("more", content("y")));
  CHECK(held->finish({}, 1));
  CHECK(cache.problems(numbered(3)).empty());
}

TEST_CASE("entries that a process has open stay") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  compute_old(cache, numbered(1), 3);
  compute_old(cache, numbered(2), 2);
  Child child([&] {
    StageCache other({folder / "cache"});
    const auto entry = other.open(numbered(1));
    ::raise(SIGSTOP);
    return entry->part("part").empty() ? 1 : 0;
  });
  child.wait_until_stopped();
  auto entry = cache.open(numbered(2));
  CHECK(cache.shrink_to(0) == 0);
  CHECK(keys_of(cache.list()) == "encode/0001 encode/0002 ");
  child.send(SIGCONT);
  CHECK(child.wait() == 0);
  CHECK(cache.shrink_to(0) > kSize);
  CHECK(keys_of(cache.list()) == "encode/0002 ");
  CHECK(entry->part("part").filename() == "part");
  entry.reset();
  CHECK(cache.shrink_to(0) > kSize);
  CHECK(cache.list().empty());
}

TEST_CASE("stages, age and being unfinished decide what goes when they are asked for") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  compute_old(cache, numbered(1, Stage::encode), 50);
  compute_old(cache, numbered(2, Stage::encode), 10);
  compute_old(cache, numbered(3, Stage::decode), 50);
  compute_old(cache, numbered(4, Stage::decode), 10);
  leave_unfinished(cache, numbered(5, Stage::decode));
  CHECK(cache.prune({}).empty());
  StagePruning old;
  old.stages = {Stage::decode};
  old.unused_for = std::chrono::hours(24);
  CHECK(keys_of(cache.prune(old)) == "decode/0003 ");
  StagePruning unfinished;
  unfinished.unfinished = true;
  CHECK(keys_of(cache.prune(unfinished)) == "decode/0005 ");
  StagePruning small;
  small.stages = {Stage::encode, Stage::score};
  small.bytes = kSize + 1000;
  CHECK(keys_of(cache.prune(small)) == "encode/0001 ");
  CHECK(keys_of(cache.list()) == "encode/0002 decode/0004 ");
}

TEST_CASE("the limit is counted after what is too old has gone") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  compute_old(cache, numbered(1), 50);
  leave_unfinished(cache, numbered(2));
  StagePruning pruning;
  pruning.unused_for = std::chrono::hours(24);
  pruning.bytes = kSize + 1000;
  CHECK(keys_of(cache.prune(pruning)) == "encode/0001 ");
}

TEST_CASE("what a killed process was taking away goes with the next pruning") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  folder.write("cache/encode/.0001.77aa.removed/part", "x");
  folder.write("cache/encode/.0002.lease", "half");
  CHECK(cache.list().empty());
  CHECK(cache.shrink_to(1'000'000) == 0);
  CHECK(std::filesystem::is_empty(folder / "cache/encode"));
}
