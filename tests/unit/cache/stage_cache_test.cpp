// Entries of one process: what is put, found, damaged and refused.
#include "cache/stage_cache.hpp"

#include <doctest/doctest.h>

#include <set>

#include "cache_helpers.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

/// The sentence of the DamagedEntry that a call throws.
template <class Call>
std::string damage_of(Call&& call) {
  try {
    call();
  } catch (const DamagedEntry& damaged) {
    CHECK(damaged.key() == kKey);
    return damaged.what();
  }
  FAIL("nothing was thrown");
  return {};
}

}  // namespace

TEST_CASE("stages and keys have names") {
  std::string names;
  for (const Stage stage : kStages) {
    names += std::string(to_string(stage)) + " ";
    CHECK(stage_named(to_string(stage)) == stage);
  }
  CHECK(names == "encode aggregate bridge decode score ");
  CHECK_FALSE(stage_named("encoder"));
  CHECK(to_string(StageKey{Stage::bridge, "00ff"}) == "bridge/00ff");
  CHECK(StageKey{Stage::encode, "ff"} < StageKey{Stage::score, "00"});
}

TEST_CASE("an entry is found by its key, with what was put into it") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  CHECK_FALSE(cache.contains(kKey));
  CHECK(cache.open(kKey) == nullptr);
  {
    const std::unique_ptr<StageLease> lease = cache.acquire(kKey);
    REQUIRE(lease != nullptr);
    CHECK(lease->key() == kKey);
    CHECK(lease->is_held());
    CHECK_FALSE(lease->has("b.bin"));
    CHECK(lease->put("b.bin", content("bees")));
    CHECK(lease->put("a.bin", content("")));
    CHECK(lease->has("b.bin"));
    CHECK(read_file(lease->part("b.bin")) == "bees");
    CHECK_FALSE(cache.contains(kKey));
    CHECK(lease->finish({{"rows", 4}, {"z", nullptr}, {"a", {1, 2}}}, 2.5));
    CHECK_FALSE(lease->is_held());
    CHECK_FALSE(lease->put("late", content("late")));
    CHECK(cache.acquire(kKey) == nullptr);
  }
  CHECK(cache.contains(kKey));
  CHECK_FALSE(cache.contains({Stage::decode, kKey.digest}));
  const auto entry = cache.open(kKey);
  REQUIRE(entry != nullptr);
  CHECK(entry->key() == kKey);
  CHECK(entry->facts().dump() == R"({"rows":4,"z":null,"a":[1,2]})");
  CHECK(entry->seconds() == 2.5);
  CHECK(entry->parts() == std::vector<std::string>{"b.bin", "a.bin"});
  CHECK(entry->has("a.bin"));
  CHECK_FALSE(entry->has("late"));
  CHECK(read_file(entry->part("b.bin")) == "bees");
  CHECK(cache.problems(kKey).empty());
  mentions(refusal_of(ErrorKind::internal, [&] { entry->part("c.bin"); }), "there is no part 'c.bin'");
  // Only what the format's page lists is left.
  std::set<std::string> names;
  for (const auto& file : std::filesystem::recursive_directory_iterator(cache.folder())) {
    names.insert(file.path().lexically_relative(cache.folder()).string());
  }
  CHECK(names == std::set<std::string>{".lock", "CACHEDIR.TAG", "encode", "encode/0123abcd",
                                       "encode/0123abcd/a.bin", "encode/0123abcd/b.bin",
                                       "encode/0123abcd/entry.json"});
}

TEST_CASE("a part that is put again takes the place of the first") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  {
    const auto lease = cache.acquire(kKey);
    CHECK(lease->put("part", content("first")));
    CHECK(lease->put("other", content("x")));
    CHECK(lease->put("part", content("second")));
  }
  const auto lease = cache.acquire(kKey);
  CHECK(read_file(lease->part("part")) == "second");
  CHECK(lease->finish({}, 0));
  CHECK(cache.open(kKey)->parts() == std::vector<std::string>{"part", "other"});
}

TEST_CASE("a lease that is given back leaves its parts and its time for the next holder") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  {
    const auto lease = cache.acquire(kKey);
    CHECK(lease->put("one", content("1")));
    lease->note_seconds(10);
    lease->note_seconds(3);
    CHECK(cache.acquire(kKey) == nullptr);
  }
  CHECK_FALSE(cache.contains(kKey));
  CHECK(cache.list().at(0).seconds == 13);
  StageCache another({folder / "cache"});
  const auto lease = another.acquire(kKey);
  REQUIRE(lease != nullptr);
  CHECK(lease->has("one"));
  CHECK(lease->put("two", content("2")));
  lease->note_seconds(4);
  CHECK(lease->finish({}, 5));
  CHECK(cache.open(kKey)->seconds() == 22);
  CHECK(cache.open(kKey)->parts() == std::vector<std::string>{"one", "two"});
}

TEST_CASE("a lease without parts leaves nothing") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  CHECK(cache.acquire(kKey) != nullptr);
  CHECK(std::filesystem::is_empty(cache.folder() / "encode"));
  CHECK(cache.list().empty());
}

TEST_CASE("what a writer throws goes through, and nothing of its part stays") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  const auto lease = cache.acquire(kKey);
  const auto files = [&] {
    return std::distance(std::filesystem::directory_iterator(cache.folder() / "encode/0123abcd"), {});
  };
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        (void)lease->put("part", [](const std::filesystem::path& path) {
                          content("half")(path);
                          throw Error(ErrorKind::data, "image 7 is broken");
                        });
                      }),
           "image 7 is broken");
  CHECK(files() == 0);
  CHECK_THROWS_AS((void)lease->put("part", [](const auto&) { throw std::logic_error("x"); }),
                  std::logic_error);
  mentions(refusal_of(ErrorKind::io, [&] { (void)lease->put("part", [](const auto&) {}); }),
           "cannot keep part of encode/0123abcd");
  for (const char* name : {"", ".part", "a/b", "entry.json", "parts.jsonl"}) {
    INFO(name);
    mentions(refusal_of(ErrorKind::internal, [&] { (void)lease->put(name, content("x")); }),
             "is no name of a part");
  }
  CHECK(files() == 0);
  CHECK(lease->put("part", content("whole")));
}

TEST_CASE("keys that could leave the folder are refused") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  for (const char* digest : {"", "..", "a/b", "ABC", ".aa"}) {
    INFO(digest);
    mentions(refusal_of(ErrorKind::internal, [&] { cache.acquire({Stage::score, digest}); }), "hexadecimal");
  }
}

TEST_CASE("a damaged part is met when it is asked for, and the entry can be made again") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  compute(cache, kKey, "0123456789");
  const std::filesystem::path file = cache.open(kKey)->part("part");
  std::string said;
  SUBCASE("a bit flipped") {
    std::ofstream(file, std::ios::binary) << "0123456788";
    said = "is not what was written (SHA-256)";
  }
  SUBCASE("truncated") {
    std::filesystem::resize_file(file, 4);
    said = "has 4 bytes where 10 were written";
  }
  SUBCASE("deleted") {
    std::filesystem::remove(file);
    said = "No such file";
  }
  const auto entry = cache.open(kKey);
  mentions(damage_of([&] { entry->part("part"); }), said);
  REQUIRE(cache.problems(kKey).size() == 1);
  mentions(cache.problems(kKey).front(), said);
  cache.remove(kKey);  // though `entry` is open
  CHECK_FALSE(cache.contains(kKey));
  compute(cache, kKey, "0123456789");
  CHECK(read_file(cache.open(kKey)->part("part")) == "0123456789");
  CHECK(cache.problems(kKey).empty());
}

TEST_CASE("a damaged list of parts is met when the entry is opened") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  compute(cache, kKey);
  const std::filesystem::path file = cache.folder() / "encode/0123abcd/entry.json";
  const std::string whole = read_file(file);
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = whole;
    REQUIRE(text.find(from) != text.npos);
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& text :
       {std::string(), whole.substr(0, whole.size() / 2), replaced("\"version\": 1", "\"version\": 2"),
        replaced("0123abcd", "0123abce"), replaced("encode", "decode"), replaced("\"part\"", "\"../part\""),
        replaced("\"bytes\": 7", "\"bytes\": \"7\""), replaced("\"con\"", "\"cox\""), std::string("[]")}) {
    INFO(text);
    std::ofstream(file, std::ios::binary) << text;
    CHECK(cache.contains(kKey));
    CHECK(contains(damage_of([&] { cache.open(kKey); }), "entry.json: "));
    CHECK(cache.problems(kKey).size() == 1);
    const StageEntryInfo info = cache.list().at(0);
    CHECK(info.complete);
    CHECK(info.facts.empty());
    CHECK(info.bytes == text.size() + 7);
  }
  cache.remove(kKey);
  CHECK_FALSE(cache.contains(kKey));
}

TEST_CASE("a damaged part of an unfinished entry is made again") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  {
    const auto lease = cache.acquire(kKey);
    CHECK(lease->put("good", content("good")));
    CHECK(lease->put("bad", content("bad!")));
    CHECK(lease->put("gone", content("gone")));
  }
  folder.write("cache/encode/0123abcd/bad", "bad?");
  std::filesystem::remove(folder / "cache/encode/0123abcd/gone");
  folder.write("cache/encode/0123abcd/unlisted", "of a killed process");
  folder.write("cache/encode/0123abcd/.x.1234.partial", "of a killed process");
  const auto lease = cache.acquire(kKey);
  CHECK(lease->has("good"));
  CHECK_FALSE(lease->has("bad"));
  CHECK_FALSE(lease->has("gone"));
  CHECK_FALSE(lease->has("unlisted"));
  CHECK(lease->put("bad", content("bad!")));
  CHECK(lease->finish({}, 0));
  CHECK(cache.open(kKey)->parts() == std::vector<std::string>{"good", "bad"});
  CHECK(std::distance(std::filesystem::directory_iterator(folder / "cache/encode/0123abcd"), {}) == 3);
}

TEST_CASE("a torn line of the list of parts costs that part alone") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  {
    const auto lease = cache.acquire(kKey);
    CHECK(lease->put("one", content("1")));
    CHECK(lease->put("two", content("2")));
  }
  const std::filesystem::path log = folder / "cache/encode/0123abcd/parts.jsonl";
  std::filesystem::resize_file(log, std::filesystem::file_size(log) - 20);
  {
    const auto lease = cache.acquire(kKey);
    CHECK(lease->has("one"));
    CHECK_FALSE(lease->has("two"));
    CHECK(lease->put("three", content("3")));
  }
  const auto lease = cache.acquire(kKey);
  CHECK(lease->has("one"));
  CHECK(lease->has("three"));
}

TEST_CASE("a folder of other things is no cache, and a cache says that it is one") {
  const TestFolder folder;
  folder.write("photos/holiday.jpg", "x");
  const auto refused = [&](const std::string& name) {
    return refusal_of(ErrorKind::usage, [&] { StageCache({folder / name}); });
  };
  mentions(refused("photos"), "photos: this folder has other things in it (holiday.jpg)");
  folder.write("compiler/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# of a compiler");
  mentions(refused("compiler"), "is no cache");
  CHECK(std::filesystem::exists(folder / "photos/holiday.jpg"));
  folder.write("file", "x");
  mentions(refusal_of(ErrorKind::io, [&] { StageCache({folder / "file"}); }), "file");
  std::filesystem::create_directories(folder / "empty");
  StageCache({folder / "empty"});
  StageCache({folder / "empty"});
  CHECK(
      read_file(folder / "empty/CACHEDIR.TAG").starts_with("Signature: 8a477f597d28d172789f06886806bc55\n"));
  // Of another process that is marking the folder at this moment.
  folder.write("new/CACHEDIR.TAG.1.partial", "");
  StageCache({folder / "new"});
  mentions(refusal_of(ErrorKind::usage,
                      [&] { StageCache({.folder = folder / "x", .limit = 0, .lease_seconds = 0}); }),
           "lease_seconds");
}
