// BERT's tokenizer on a vocabulary of a few pieces; expected ids follow from its rules (spec/04
// section 12.4).
#include "text/word_pieces.hpp"

#include "refusals.hpp"
#include "test_files.hpp"

namespace patchioner {
namespace {

using Ids = std::vector<int64_t>;

// [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, the 4, dog 5, ##s 6, do 7, ##g 8, cafe 9, "," 10, U+4E2D 11, ' 12,
// sigma 13
constexpr const char* kVocabulary =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\ndog\n##s\ndo\n##g\ncafe\n,\n\u4e2d\n'\n\u03c3\n";

std::shared_ptr<const WordPieceTokenizer> small() {
  const TestFolder folder;
  folder.write("vocab.txt", kVocabulary);
  return WordPieceTokenizer::open(folder.path());
}

TEST_CASE("words are cut into the longest pieces, between the two markers") {
  const auto tokenizer = small();
  CHECK(tokenizer->size() == 14);
  CHECK(tokenizer->encode("the dogs", 256) == Ids{2, 4, 5, 6, 3});
  CHECK(tokenizer->encode("dogg", 256) == Ids{2, 5, 8, 3});
  CHECK(tokenizer->encode("", 256) == Ids{2, 3});
}

TEST_CASE("a word that is not wholly of pieces is unknown as a whole, and so is one of over 100 characters") {
  const auto tokenizer = small();
  CHECK(tokenizer->encode("the dogx dog", 256) == Ids{2, 4, 1, 5, 3});
  CHECK(tokenizer->encode("dog" + std::string(97, 's'), 256).size() == 100);
  CHECK(tokenizer->encode("dog" + std::string(98, 's'), 256) == Ids{2, 1, 3});
}

TEST_CASE("case and accents do not count, composed or not") {
  const auto tokenizer = small();
  CHECK(tokenizer->encode("The CAF\u00c9 cafe\u0301", 256) == Ids{2, 4, 9, 9, 3});
  CHECK(tokenizer->encode("\u03a3", 256) == Ids{2, 13, 3});
}

TEST_CASE("punctuation and Chinese characters are words of their own") {
  const auto tokenizer = small();
  CHECK(tokenizer->encode("dog,the'dog", 256) == Ids{2, 5, 10, 4, 12, 5, 3});
  CHECK(tokenizer->encode("dog\u4e2ddog", 256) == Ids{2, 5, 11, 5, 3});
}

TEST_CASE("controls are left out, white space of any kind separates") {
  const auto tokenizer = small();
  CHECK(tokenizer->encode(std::string("d\0o\x01g", 5), 256) == Ids{2, 5, 3});
  CHECK(tokenizer->encode("do\u200bg\u00a0the\u3000\n\tdog \xff", 256) == Ids{2, 5, 4, 5, 3});
}

TEST_CASE("a long text is cut in front of its end marker") {
  const auto tokenizer = small();
  CHECK(tokenizer->encode("the dogs the", 5) == Ids{2, 4, 5, 6, 3});
  CHECK(tokenizer->encode("the dogs the", 4) == Ids{2, 4, 5, 3});
}

TEST_CASE("what is no vocabulary is refused with file and line") {
  const TestFolder folder;
  const auto message_of = [&](const std::string& content) {
    return refusal_of(ErrorKind::data,
                      [&] { (void)WordPieceTokenizer::open(folder.write("v.txt", content)); });
  };
  mentions(message_of("[UNK]\n[CLS]\n[SEP]\ndog\ncat\ndog\n"),
           "v.txt:6: the token 'dog' stands in line 4 already");
  mentions(message_of("[UNK]\n[CLS]\ndog\n"), "v.txt: the vocabulary of 3 tokens has no [SEP]");
  mentions(message_of(""), "v.txt: the vocabulary of 0 tokens has no [CLS]");
  mentions(message_of("[UNK]\n\xff\n"), "not UTF-8 text (byte 6)");
}

}  // namespace
}  // namespace patchioner
