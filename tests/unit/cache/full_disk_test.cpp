// A disk that is full.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include "cache_helpers.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

/// While one lives, no file of this process can grow beyond `bytes`: writing fails as on a full disk (with
/// EFBIG), which needs no file system of its own.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : signal_(::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limit{bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, signal_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  sighandler_t signal_;
};

/// A writer as the stages have them.
std::function<void(const std::filesystem::path&)> atomic(size_t size) {
  return [size](const std::filesystem::path& path) { write_file(path, std::string(size, 'x')); };
}

template <class Call>
void is_refused(const std::filesystem::path& folder, Call&& call) {
  const std::string sentence = refusal_of(ErrorKind::io, call);
  mentions(sentence, folder.string() + ": the cache cannot keep");
  mentions(sentence, "patchioner cache prune --folder " + folder.string() + " --to ");
  mentions(sentence, "another cache.folder");
}

}  // namespace

TEST_CASE("a part that the disk has no room for is an error that says what to do, and leaves nothing") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  const auto lease = cache.acquire(kKey);
  CHECK(lease->put("small", atomic(100)));
  {
    const FileSizeLimit limit(4096);
    is_refused(cache.folder(), [&] { (void)lease->put("large", atomic(100'000)); });
  }
  CHECK(std::distance(std::filesystem::directory_iterator(cache.folder() / "encode/0123abcd"), {}) == 2);
  CHECK_FALSE(lease->has("large"));
  CHECK(lease->is_held());
  CHECK(lease->put("large", atomic(100'000)));
  CHECK(lease->finish({}, 1));
  CHECK(cache.problems(kKey).empty());
}

TEST_CASE("the advice is to take half of what the cache holds away") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  compute(cache, {Stage::decode, "00"}, std::string(6'000'000, 'x'));
  const auto lease = cache.acquire(kKey);
  const FileSizeLimit limit(4096);
  const std::string sentence = refusal_of(ErrorKind::io, [&] { (void)lease->put("large", atomic(100'000)); });
  mentions(sentence, " --to 3.0MB takes half of it away");
}

TEST_CASE("what fails elsewhere while a part is made is not laid at the cache's door") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  const auto lease = cache.acquire(kKey);
  const std::filesystem::path weights = folder / "weights.pt";
  const auto fails = [&](const auto& action) {
    return lease->put("part", [&](const std::filesystem::path& path) {
      content("half")(path);
      action(path);
    });
  };
  CHECK(refusal_of(ErrorKind::io, [&] {
          (void)fails([&](const auto&) { throw Error(ErrorKind::io, "{}: no such file", weights.string()); });
        }) == weights.string() + ": no such file");
  CHECK_THROWS_AS(fails([&](const auto&) { std::filesystem::rename(weights, folder / "x"); }),
                  std::filesystem::filesystem_error);
  // The file itself, and a disk that says by its number alone that it is full.
  is_refused(cache.folder(), [&] {
    (void)fails(
        [&](const auto& path) { throw Error(ErrorKind::io, "{}: input/output error", path.string()); });
  });
  is_refused(cache.folder(), [&] {
    (void)fails([&](const auto& path) { std::filesystem::copy_file(weights, path / "x"); });
  });
  for (const int reason : {ENOSPC, EDQUOT, EFBIG}) {
    is_refused(cache.folder(), [&] {
      (void)fails([&](const auto&) { throw std::system_error(reason, std::generic_category()); });
    });
  }
  CHECK(std::filesystem::is_empty(cache.folder() / "encode/0123abcd"));
  CHECK(lease->put("part", content("whole")));
}

TEST_CASE("a list of parts that cannot grow leaves the part out, and is as it was") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  {
    const auto lease = cache.acquire(kKey);
    CHECK(lease->put("one", content("1")));
    const std::filesystem::path log = cache.folder() / "encode/0123abcd/parts.jsonl";
    const std::string before = read_file(log);
    {
      const FileSizeLimit limit(before.size() + 10);
      is_refused(cache.folder(), [&] { (void)lease->put("two", content("2")); });
    }
    CHECK(read_file(log) == before);
    CHECK_FALSE(std::filesystem::exists(cache.folder() / "encode/0123abcd/two"));
  }
  const auto lease = cache.acquire(kKey);
  CHECK(lease->has("one"));
  CHECK_FALSE(lease->has("two"));
}

TEST_CASE("an entry that cannot be completed stays unfinished, with its parts") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  const auto lease = cache.acquire(kKey);
  CHECK(lease->put("one", content("1")));
  const nlohmann::ordered_json facts = {{"text", std::string(10'000, 'x')}};
  {
    const FileSizeLimit limit(4096);
    is_refused(cache.folder(), [&] { (void)lease->finish(facts, 1); });
  }
  CHECK_FALSE(cache.contains(kKey));
  CHECK(lease->has("one"));
  CHECK(lease->finish(facts, 1));
  CHECK(cache.open(kKey)->facts() == facts);
}

TEST_CASE("a lease that cannot be written is none") {
  const TestFolder folder;
  StageCache cache({folder / "cache"});
  {
    const FileSizeLimit limit(10);
    is_refused(cache.folder(), [&] { cache.acquire(kKey); });
  }
  CHECK_FALSE(std::filesystem::exists(cache.folder() / "encode/0123abcd.lease"));
  CHECK_FALSE(std::filesystem::exists(cache.folder() / "encode/.0123abcd.lease"));
  CHECK(cache.acquire(kKey) != nullptr);
}
