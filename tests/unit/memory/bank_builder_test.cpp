// Building banks: what is selected, and that a build that was stopped or killed ends in the bytes of one that
// was not.
#include "memory/bank_builder.hpp"

#include <sys/wait.h>

#include <csignal>
#include <numeric>

#include "memory/sample_selector.hpp"
#include "support/append_file.hpp"
#include "support/progress.hpp"
#include "test_banks.hpp"

namespace patchioner {
namespace {

using Texts = std::vector<std::string>;

/// No progress lines among the tests' own.
[[maybe_unused]] const bool quiet = (Progress::set_enabled(false), true);

/// Encodes a text by its bytes and by its place in the batch: batches that are cut otherwise give other
/// numbers.
struct FakeEncoder {
  int calls = 0;
  int stop_at = -1;  ///< the call that does `stop`
  std::function<void()> stop;

  BankEncoder encoder() {
    return {[this](std::span<const std::string> texts) {
              if (calls++ == stop_at) {
                stop();
              }
              at::Tensor rows = at::empty({static_cast<int64_t>(texts.size()), 3}, at::kFloat);
              float* values = rows.data_ptr<float>();
              for (size_t index = 0; index < texts.size(); ++index) {
                values[3 * index] = static_cast<float>(texts[index].size());
                values[3 * index + 1] =
                    static_cast<float>(std::accumulate(texts[index].begin(), texts[index].end(), 0));
                values[3 * index + 2] = static_cast<float>(index);
              }
              return rows;
            },
            3, "weights-1"};
  }
};

BankBuildOptions options_for(const test::BankFolder& folder, const std::string& content,
                             const std::string& name = "bank") {
  BankBuildOptions options;
  options.target = folder / (name + ".safetensors");
  options.sources = {{folder.write("captions.txt", content), "captions.txt"}};
  options.batch = 4;
  return options;
}

std::string lines(size_t count) {
  std::string content;
  for (const std::string& text : test::numbered(count)) {
    content += text + "\n";
  }
  return content;
}

Texts texts_of(const BankBuildOptions& options) {
  FakeEncoder fake;
  REQUIRE(build_memory_bank(options, fake.encoder()).finished);
  return MemoryBank::open(options.target)->texts();
}

/// Bank and texts, byte by byte.
std::string bytes_of(const std::filesystem::path& target) {
  std::filesystem::path texts = target;
  return read_file(target) + read_file(texts.replace_extension(".texts.json"));
}

size_t files_in(const std::filesystem::path& folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST_CASE("a bank holds a row a text, and says where it came from") {
  const test::BankFolder folder;
  BankBuildOptions options = options_for(folder, lines(10));
  options.metadata = {{"backbone", "clip"}};
  FakeEncoder fake;
  const BankBuildResult result = build_memory_bank(options, fake.encoder());
  CHECK(result.finished);
  CHECK(result.rows == 10);
  CHECK(result.texts_read == 10);
  CHECK(fake.calls == 3);
  const auto bank = MemoryBank::open(options.target);
  CHECK(bank->texts() == test::numbered(10));
  CHECK(at::equal(bank->embeddings()[9],
                  at::tensor({6.0F, 542.0F, 1.0F})));  // "text 9", second of the third batch
  CHECK(bank->metadata().at("format") == "patchioner-memory-bank/1");
  CHECK(bank->metadata().at("backbone") == "clip");
  CHECK(bank->metadata().at("text_fingerprint") == "weights-1");
  CHECK(bank->metadata().at("source") == "captions.txt");
  CHECK(bank->metadata().at("source_sha256") == sha256_of_file(folder / "captions.txt"));
  CHECK(bank->metadata().at("texts_sha256") == sha256_of_file(folder / "bank.texts.json"));
  CHECK(files_in(folder / "") == 3);  // captions, bank, texts: nothing partial is left
}

TEST_CASE("rows begin at a multiple of 64 bytes") {
  const test::BankFolder folder;
  const BankBuildOptions options = options_for(folder, lines(3));
  (void)texts_of(options);
  CHECK((std::filesystem::file_size(options.target) - 3 * 3 * sizeof(float)) % 64 == 0);
}

TEST_CASE("a sample has the wanted size, keeps the file's order and depends on the seed alone") {
  const test::BankFolder folder;
  BankBuildOptions options = options_for(folder, lines(100));
  options.size = 20;
  options.overwrite = true;
  const Texts sample = texts_of(options);
  CHECK(sample.size() == 20);
  const Texts all = test::numbered(100);
  size_t place = 0;
  for (const std::string& text : sample) {
    const auto found = std::find(all.begin() + static_cast<std::ptrdiff_t>(place), all.end(), text);
    REQUIRE(found != all.end());
    place = static_cast<size_t>(found - all.begin()) + 1;
  }
  CHECK(texts_of(options) == sample);
  options.seed = 43;
  CHECK(texts_of(options) != sample);
}

TEST_CASE("a sample as large as the file, or larger, is the file in its order") {
  const test::BankFolder folder;
  BankBuildOptions options = options_for(folder, lines(10));
  options.overwrite = true;
  for (const int64_t size : {10, 11, 1000}) {
    options.size = size;
    CHECK(texts_of(options) == test::numbered(10));
  }
}

TEST_CASE("a limit looks at the first texts only, over all files") {
  const test::BankFolder folder;
  BankBuildOptions options = options_for(folder, lines(3));
  options.sources.push_back({folder.write("more.txt", "x\ny\n"), "more.txt"});
  options.limit = 4;
  CHECK(texts_of(options) == Texts{"text 0", "text 1", "text 2", "x"});
}

TEST_CASE("texts that came before are left out when asked for") {
  const test::BankFolder folder;
  BankBuildOptions options = options_for(folder, "a\nb\na\nB\nb\na\n");
  options.overwrite = true;
  CHECK(texts_of(options) == Texts{"a", "b", "a", "B", "b", "a"});
  options.deduplicate = true;
  CHECK(texts_of(options) == Texts{"a", "b", "B"});
  options.size = 2;
  CHECK(texts_of(options).size() == 2);
}

TEST_CASE("every place is taken about equally often") {
  std::vector<int> taken(10);
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    SampleSelector selector(10, 3, seed);
    int count = 0;
    for (int& place : taken) {
      const bool take = selector.next();
      place += take ? 1 : 0;
      count += take ? 1 : 0;
    }
    REQUIRE(count == 3);
  }
  for (const int count : taken) {  // 600 expected, standard deviation 20
    CHECK(count > 500);
    CHECK(count < 700);
  }
}

TEST_CASE("a build that failed goes on where it was and ends in the same bytes") {
  const test::BankFolder folder;
  const BankBuildOptions straight = options_for(folder, lines(27), "straight");
  (void)texts_of(straight);
  BankBuildOptions options = options_for(folder, lines(27));
  for (const int stop : {3, 2}) {
    FakeEncoder fake;
    fake.stop_at = stop;
    fake.stop = [] { throw Error(ErrorKind::data, "a text is too long"); };
    CHECK(contains(refusal_of(ErrorKind::data, [&] { build_memory_bank(options, fake.encoder()); }),
                   "too long"));
    CHECK(!std::filesystem::exists(options.target));
  }
  FakeEncoder fake;
  const BankBuildResult result = build_memory_bank(options, fake.encoder());
  CHECK(result.finished);
  CHECK(result.resumed_rows == 20);  // three batches, then two more
  CHECK(fake.calls == 2);
  CHECK(bytes_of(options.target) == bytes_of(straight.target));
}

TEST_CASE("a build that was killed in the middle of a row goes on and ends in the same bytes") {
  const test::BankFolder folder;
  const BankBuildOptions straight = options_for(folder, lines(27), "straight");
  (void)texts_of(straight);
  const BankBuildOptions options = options_for(folder, lines(27));
  const pid_t child = ::fork();
  if (child == 0) {
    FakeEncoder fake;
    fake.stop_at = 4;
    fake.stop = [] { ::raise(SIGKILL); };
    build_memory_bank(options, fake.encoder());
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
  const std::filesystem::path partial = folder / "bank.safetensors.partial";
  std::filesystem::resize_file(partial, std::filesystem::file_size(partial) - 5);  // a write that was torn
  FakeEncoder fake;
  const BankBuildResult result = build_memory_bank(options, fake.encoder());
  CHECK(result.resumed_rows == 12);
  CHECK(bytes_of(options.target) == bytes_of(straight.target));
}

TEST_CASE("an unfinished bank of other texts, settings or weights is kept, unless it may be replaced") {
  const test::BankFolder folder;
  const auto leave_unfinished = [&](const BankBuildOptions& options) {
    FakeEncoder fake;
    fake.stop_at = 2;
    fake.stop = [] { throw Error(ErrorKind::data, "stopped"); };
    (void)refusal_of(ErrorKind::data, [&] { build_memory_bank(options, fake.encoder()); });
  };
  const auto resumed_rows = [&](const BankBuildOptions& options, const std::string& fingerprint) {
    FakeEncoder fake;
    BankEncoder encoder = fake.encoder();
    encoder.fingerprint = fingerprint;
    return build_memory_bank(options, encoder).resumed_rows;
  };
  BankBuildOptions options = options_for(folder, lines(12));
  options.overwrite = true;
  leave_unfinished(options);
  CHECK(resumed_rows(options, "weights-1") == 8);
  leave_unfinished(options);
  CHECK(resumed_rows(options, "weights-2") == 0);
  leave_unfinished(options);
  options.batch = 3;
  CHECK(resumed_rows(options, "weights-1") == 0);
  leave_unfinished(options);
  folder.write("captions.txt", lines(13));
  CHECK(resumed_rows(options, "weights-1") == 0);
  leave_unfinished(options);
  folder.write("bank.texts.json.partial", "[\"other\"]");
  CHECK(resumed_rows(options, "weights-1") == 0);
  leave_unfinished(options);
  folder.write("bank.safetensors.partial.json", "{damaged");
  CHECK(resumed_rows(options, "weights-1") == 0);
  CHECK(MemoryBank::open(options.target)->rows() == 13);

  options = options_for(folder, lines(12), "kept");
  leave_unfinished(options);
  const int64_t size = std::exchange(options.size, 5);
  CHECK(refusal_of(ErrorKind::usage, [&] {
          resumed_rows(options, "weights-1");
        }).find("there is an unfinished bank of 12 texts that was begun with other") != std::string::npos);
  options.size = size;
  CHECK(resumed_rows(options, "weights-1") == 8);
}

TEST_CASE("a build that was killed between the names of its texts and of its bank keeps what it encoded") {
  const test::BankFolder folder;
  const BankBuildOptions straight = options_for(folder, lines(27), "straight");
  (void)texts_of(straight);
  const BankBuildOptions options = options_for(folder, lines(27));
  FakeEncoder stopped;
  stopped.stop_at = 4;
  stopped.stop = [] { throw Error(ErrorKind::data, "stopped"); };
  (void)refusal_of(ErrorKind::data, [&] { build_memory_bank(options, stopped.encoder()); });
  // All batches but the last are encoded; the texts have their final name already.
  std::filesystem::rename(folder / "bank.texts.json.partial", folder / "bank.texts.json");
  FakeEncoder fake;
  const BankBuildResult result = build_memory_bank(options, fake.encoder());
  CHECK(result.finished);
  CHECK(result.resumed_rows == 16);
  CHECK(bytes_of(options.target) == bytes_of(straight.target));
}

TEST_CASE("a build never writes over its source or over texts that are not its own") {
  const test::BankFolder folder;
  BankBuildOptions options = options_for(folder, lines(5));
  FakeEncoder fake;
  const auto source = folder.write("bank.texts.json", "[\"a\", \"b\"]");
  CHECK(contains(refusal_of(ErrorKind::usage, [&] { build_memory_bank(options, fake.encoder()); }),
                 "belongs to no bank"));
  options.sources = {{source, "bank.texts.json"}};
  options.overwrite = true;
  CHECK(contains(refusal_of(ErrorKind::usage, [&] { build_memory_bank(options, fake.encoder()); }),
                 "would be written over"));
  std::filesystem::create_symlink(source, folder / "link.json");
  options.sources = {{folder / "link.json", "link.json"}};
  CHECK(contains(refusal_of(ErrorKind::usage, [&] { build_memory_bank(options, fake.encoder()); }),
                 "would be written over"));
  for (const char* ours : {"bank.texts.json.partial", "bank.safetensors.partial"}) {
    options.sources = {{folder.write(ours, "a\nb\n"), ours}};
    CHECK(contains(refusal_of(ErrorKind::usage, [&] { build_memory_bank(options, fake.encoder()); }),
                   "would be written over"));
    std::filesystem::remove(folder / ours);
  }
  CHECK(read_file(source) == "[\"a\", \"b\"]");
  CHECK(fake.calls == 0);
  options.sources = {{folder / "captions.txt", "captions.txt"}};
  CHECK(build_memory_bank(options, fake.encoder()).finished);  // allowed to replace it
}

TEST_CASE("rows of an attempt that cut long texts are no rows of one that refuses them") {
  const test::BankFolder folder;
  BankBuildOptions options = options_for(folder, lines(12));
  options.overwrite = true;
  const auto resumed_rows = [&](bool before, bool now) {
    FakeEncoder fake;
    fake.stop_at = 2;
    fake.stop = [] { throw Error(ErrorKind::data, "stopped"); };
    BankEncoder encoder = fake.encoder();
    encoder.truncates = before;
    (void)refusal_of(ErrorKind::data, [&] { build_memory_bank(options, encoder); });
    FakeEncoder rest;
    encoder = rest.encoder();
    encoder.truncates = now;
    const int64_t rows = build_memory_bank(options, encoder).resumed_rows;
    std::filesystem::remove(options.target);
    std::filesystem::remove(folder / "bank.texts.json");
    return rows;
  };
  CHECK(resumed_rows(false, true) == 8);
  CHECK(resumed_rows(true, true) == 8);
  CHECK(resumed_rows(true, false) == 0);
}

TEST_CASE("a source whose name is not UTF-8 is recorded with replacements") {
  const test::BankFolder folder;
  BankBuildOptions options = options_for(folder, lines(3));
  options.sources[0].name = "caf\xe9.txt";
  (void)texts_of(options);
  CHECK(MemoryBank::open(options.target)->metadata().at("source") == "caf\xef\xbf\xbd.txt");
}

TEST_CASE("an embedding that is zero or not finite is refused with its text") {
  const test::BankFolder folder;
  const BankBuildOptions options = options_for(folder, "good\nbad\n");
  for (const float bad : {0.0F, std::numeric_limits<float>::quiet_NaN()}) {
    const BankEncoder encoder{[&](std::span<const std::string> texts) {
                                at::Tensor rows = at::ones({static_cast<int64_t>(texts.size()), 3});
                                rows[1].fill_(bad);
                                return rows;
                              },
                              3, ""};
    CHECK(contains(refusal_of(ErrorKind::data, [&] { build_memory_bank(options, encoder); }), "\"bad\""));
  }
  const BankEncoder wide{[](std::span<const std::string>) { return at::ones({2, 4}); }, 3, ""};
  (void)refusal_of(ErrorKind::plugin, [&] { build_memory_bank(options, wide); });
}

TEST_CASE("a bank that exists is not replaced unasked, and not lost when replacing it fails") {
  const test::BankFolder folder;
  BankBuildOptions options = options_for(folder, lines(5));
  (void)texts_of(options);
  const std::string before = bytes_of(options.target);
  FakeEncoder fake;
  CHECK(
      contains(refusal_of(ErrorKind::usage, [&] { build_memory_bank(options, fake.encoder()); }), "exists"));
  options.overwrite = true;
  options.seed = 1;
  fake.stop_at = 0;
  fake.stop = [] { throw Error(ErrorKind::data, "stopped"); };
  (void)refusal_of(ErrorKind::data, [&] { build_memory_bank(options, fake.encoder()); });
  CHECK(bytes_of(options.target) == before);
}

TEST_CASE("a bank has a proper name and a folder that can be written") {
  const test::BankFolder folder;
  BankBuildOptions options = options_for(folder, lines(5));
  FakeEncoder fake;
  options.target = folder / "bank.h5";
  CHECK(contains(refusal_of(ErrorKind::usage, [&] { build_memory_bank(options, fake.encoder()); }),
                 ".safetensors"));
  options.target = folder / "absent/bank.safetensors";
  CHECK(contains(refusal_of(ErrorKind::io, [&] { build_memory_bank(options, fake.encoder()); }), "absent"));
}

TEST_CASE("sources that cannot be read leave nothing behind") {
  const test::BankFolder folder;
  BankBuildOptions options = options_for(folder, lines(5));
  FakeEncoder fake;
  for (const char* damaged : {"[\"a\", \"b", "[]", ""}) {
    folder.write("captions.txt", damaged);
    (void)refusal_of(ErrorKind::data, [&] { build_memory_bank(options, fake.encoder()); });
    CHECK(files_in(folder / "") == 1);
  }
  std::filesystem::remove(folder / "captions.txt");
  (void)refusal_of(ErrorKind::io, [&] { build_memory_bank(options, fake.encoder()); });
  CHECK(files_in(folder / "") == 0);
  CHECK(fake.calls == 0);
}

TEST_CASE("two processes do not write one bank") {
  const test::BankFolder folder;
  const BankBuildOptions options = options_for(folder, lines(5));
  const AppendFile other(folder / "bank.safetensors.partial");
  FakeEncoder fake;
  CHECK(contains(refusal_of(ErrorKind::io, [&] { build_memory_bank(options, fake.encoder()); }),
                 "another process"));
}

}  // namespace
}  // namespace patchioner
