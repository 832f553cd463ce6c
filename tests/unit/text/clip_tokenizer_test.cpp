// The tokenizer on the published vocabulary: expected ids come from the golden cases clip/tokenizer and
// pipeline/decap_tokens, made with CLIP's own tokenizer. The vocabulary is third-party data, so these tests
// are skipped where the cases are not.
#include "text/clip_tokenizer.hpp"

#include <patchioner/error.hpp>
#include <thread>

#include "test_files.hpp"

namespace patchioner {
namespace {

std::shared_ptr<const ClipTokenizer> published(TextClean clean = TextClean::full) {
  const auto folder = test::golden_folder("clip/tokenizer");
  return folder ? ClipTokenizer::open(*folder / "bpe_simple_vocab_16e6.txt.gz", clean) : nullptr;
}

nlohmann::json strings() {
  return nlohmann::json::parse(read_file(*test::golden_folder("clip/tokenizer") / "strings.json"));
}

TEST_CASE("every golden string is cleaned and encoded as CLIP does") {
  const auto tokenizer = published();
  if (!tokenizer) {
    return;
  }
  for (const auto& entry : strings()) {
    const auto text = entry["text"].get<std::string>();
    CAPTURE(text);
    CHECK(clean_text(text, TextClean::full) == entry["cleaned"].get<std::string>());
    CHECK(tokenizer->encode(text) == entry["ids"].get<std::vector<int64_t>>());
  }
}

TEST_CASE("each string comes out right from the cleaning level that it is marked with") {
  const auto basic = published(TextClean::basic);
  const auto none = published(TextClean::none);
  if (!basic) {
    return;
  }
  for (const auto& entry : strings()) {
    const auto text = entry["text"].get<std::string>();
    CAPTURE(text);
    const auto ids = entry["ids"].get<std::vector<int64_t>>();
    const auto needs = entry["needs"].get<std::string>();
    CHECK((basic->encode(text) == ids) == (needs != "ftfy_mojibake"));
    CHECK((none->encode(text) == ids) == (needs == "nothing"));
  }
}

TEST_CASE("ids become text with a space after each word") {
  const auto tokenizer = published();
  if (!tokenizer) {
    return;
  }
  const auto decoded =
      nlohmann::json::parse(read_file(*test::golden_folder("clip/tokenizer") / "decode.json"));
  for (const auto& entry : decoded) {
    CHECK(tokenizer->decode(entry["ids"].get<std::vector<int64_t>>()) == entry["text"].get<std::string>());
  }
  CHECK(tokenizer->token_text(320) == "a ");
  CHECK(tokenizer->token_text(512) == "in");
}

TEST_CASE("markers have the last two ids") {
  const auto tokenizer = published();
  if (!tokenizer) {
    return;
  }
  CHECK(tokenizer->size() == 49408);
  CHECK(tokenizer->start_id() == 49406);
  CHECK(tokenizer->end_id() == 49407);
  CHECK(tokenizer->encode("<|startoftext|> a") == std::vector<int64_t>{49406, 320});
}

TEST_CASE("a row is padded with zeros and a long text is cut before its end marker") {
  const auto tokenizer = published();
  if (!tokenizer) {
    return;
  }
  const std::vector<std::string> texts = {"a photo of a cat", "a a a a a a a", ""};
  const at::Tensor rows = tokenizer->tokenize(texts, 7, true);
  const at::Tensor expected = at::tensor({49406, 320, 1125,  539,   320,   2368, 49407, 49406, 320, 320, 320,
                                          320,   320, 49407, 49406, 49407, 0,    0,     0,     0,   0},
                                         at::kLong)
                                  .reshape({3, 7});
  CHECK(at::equal(rows, expected));
}

TEST_CASE("a text that is too long is named unless truncation is on") {
  const auto tokenizer = published();
  if (!tokenizer) {
    return;
  }
  const std::vector<std::string> texts = {"a cat", "a dog on a long way"};
  try {
    (void)tokenizer->tokenize(texts, 5, false);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    CHECK(std::string(error.what()).find("\"a dog on a long way\" has 8 tokens") != std::string::npos);
  }
}

TEST_CASE("an id outside of the vocabulary is refused") {
  const auto tokenizer = published();
  if (!tokenizer) {
    return;
  }
  CHECK_THROWS_AS((void)tokenizer->decode(std::vector<int64_t>{49408}), Error);
  CHECK_THROWS_AS((void)tokenizer->token_text(-1), Error);
}

TEST_CASE("bytes that are no UTF-8 are replaced, never refused") {
  const auto tokenizer = published();
  if (!tokenizer) {
    return;
  }
  CHECK(tokenizer->encode("a\xff\x80z") == tokenizer->encode("a\xef\xbf\xbd\xef\xbf\xbdz"));
  CHECK(tokenizer->encode("\xf0\x9f\x98") == tokenizer->encode("\xef\xbf\xbd"));
}

TEST_CASE("the combining iota, alone of all characters, gives no ids") {
  // regex 2024.11.6 with case ignored: neither a letter nor anything else.
  const auto tokenizer = published();
  if (!tokenizer) {
    return;
  }
  CHECK(tokenizer->encode("\xcd\x85").empty());
  CHECK(tokenizer->encode("1\xcd\x85") == tokenizer->encode("1"));
}

TEST_CASE("a very long word is encoded") {
  const auto tokenizer = published();
  if (!tokenizer) {
    return;
  }
  std::string word;
  for (int64_t index = 0; index < 200000; ++index) {
    word.push_back(static_cast<char>('a' + index * index % 26));
  }
  const auto ids = tokenizer->encode(word);
  CHECK(ids.size() > 1000);
  CHECK(tokenizer->decode(ids) == word + " ");
}

TEST_CASE("threads share a tokenizer") {
  const auto tokenizer = published();
  if (!tokenizer) {
    return;
  }
  const auto golden = strings();
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (const auto& entry : golden) {
        wrong +=
            tokenizer->encode(entry["text"].get<std::string>()) != entry["ids"].get<std::vector<int64_t>>();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace patchioner
