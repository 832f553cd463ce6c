// GPT-2's tokenizer on vocabularies of a few merges. Ids: the 256 bytes in the alphabet's order ('!' is 0,
// 'a' 64, line end 198, space 220), the merges, the marker (spec/04 section 8). The published merges are run
// by the golden cases bpe_small_a and bpe_gpt2_a.
#include "text/gpt2_tokenizer.hpp"

#include "refusals.hpp"
#include "test_files.hpp"
#include "text/byte_pairs.hpp"

namespace patchioner {
namespace {

using Ids = std::vector<int64_t>;

constexpr const char* kMerges =
    "#version: 0.2\n\u0120 \u0120\n\u010a \u010a\n' s\nt '\nd o\ndo g\n";  // 256 to 261, the marker is 262

std::shared_ptr<const Gpt2Tokenizer> small() {
  const TestFolder folder;
  return Gpt2Tokenizer::open(folder.write("any-name.txt", kMerges));
}

nlohmann::json small_token_map() {
  nlohmann::json tokens;
  int id = 0;
  for (const uint8_t byte : ByteAlphabet::instance().order) {
    tokens[ByteAlphabet::instance().symbol[byte]] = id++;
  }
  for (const char* token : {"\u0120\u0120", "\u010a\u010a", "'s", "t'", "do", "dog", "<|endoftext|>"}) {
    tokens[token] = id++;
  }
  return tokens;
}

TEST_CASE("bytes, merges and the marker are numbered in this order") {
  const auto tokenizer = small();
  CHECK(tokenizer->size() == 263);
  CHECK(tokenizer->end_id() == 262);
  CHECK(tokenizer->encode("dog") == Ids{261});
  CHECK(tokenizer->encode("Do") == Ids{35, 78});
  CHECK(tokenizer->encode("") == Ids{});
}

TEST_CASE("a word takes one space in front of it, the others are a piece of their own") {
  const auto tokenizer = small();
  CHECK(tokenizer->encode("a   b") == Ids{64, 256, 220, 65});
  CHECK(tokenizer->encode("a  ") == Ids{64, 256});
  CHECK(tokenizer->encode("a\n\n") == Ids{64, 257});
  CHECK(tokenizer->encode("a\n\nb") == Ids{64, 198, 198, 65});
}

TEST_CASE("contractions are pieces, but not behind a space") {
  const auto tokenizer = small();
  CHECK(tokenizer->encode("it's") == Ids{72, 83, 258});
  CHECK(tokenizer->encode("it 's") == Ids{72, 83, 220, 6, 82});
  CHECK(tokenizer->encode("it'S") == Ids{72, 83, 6, 50});
}

TEST_CASE("pieces are what bytes are merged within") {
  CHECK(gpt2_pieces("A  dog's 2 toys.") ==
        std::vector<std::string>{"A", " ", " dog", "'s", " 2", " toys", "."});
  CHECK(gpt2_pieces("ein Bär") == std::vector<std::string>{"ein", " Bär"});
  CHECK(gpt2_pieces("").empty());
}

TEST_CASE("the shipped vocabulary reads as published ones do, and writes things of its world briefly") {
  const auto tokenizer =
      Gpt2Tokenizer::open(std::string(PATCHIONER_SOURCE_DIR) + "/models/emoji/tokenizer_gpt2");
  CHECK(tokenizer->size() == 1280);
  CHECK(tokenizer->encode("There are avocado, hedgehog in image.").size() == 8);
}

TEST_CASE("letters and numbers of any script are runs of their own") {
  const TestFolder folder;
  // U+00E9 is the bytes C3 A9, in the alphabet the characters U+00C3 and U+00A9; U+0663 is D9 A3.
  const auto tokenizer = Gpt2Tokenizer::open(
      folder.write("merges.txt", "#version: 0.2\n\u00c3 \u00a9\n\u00c3\u00a9 1\nf \u00c3\u00a9\n1 \u00d9\n"));
  CHECK(tokenizer->encode("f\u00e91") == Ids{258, 16});
  CHECK(tokenizer->encode("1\u0663") == Ids{259, 96});
  CHECK(tokenizer->encode("\xff") == tokenizer->encode("\ufffd"));
}

TEST_CASE("the marker is cut out of a text and splits it") {
  const auto tokenizer = small();
  CHECK(tokenizer->encode("do<|endoftext|>g<|endoftext") ==
        Ids{260, 262, 70, 27, 91, 68, 77, 260, 69, 83, 68, 87, 83});
  CHECK(tokenizer->decode(Ids{260, 262, 70}) == "do<|endoftext|>g");
  CHECK(tokenizer->decode(Ids{260, 262, 70}, {.skip_end_of_text = true}) == "dog");
}

TEST_CASE("each broken sequence of bytes decodes to one U+FFFD, and markers keep bytes apart") {
  const auto tokenizer = small();
  CHECK(tokenizer->decode(Ids{172, 253, 238, 114}) == "\U0001f436");
  CHECK(tokenizer->decode(Ids{172, 253, 64}) == "\ufffda");
  CHECK(tokenizer->decode(Ids{172, 253, 262, 238, 114}, {.skip_end_of_text = true}) == "\ufffd\ufffd\ufffd");
}

TEST_CASE("spaces before punctuation and contractions are taken out on request") {
  const auto tokenizer = small();
  const Ids ids = tokenizer->encode("do n't , it 's a ' b ' dog .");
  CHECK(tokenizer->decode(ids) == "do n't , it 's a ' b ' dog .");
  CHECK(tokenizer->decode(ids, {.clean_up_spaces = true}) == "don't, it's a'b'dog.");
}

TEST_CASE("all forms of one vocabulary give the same ids and the same digest") {
  const TestFolder folder;
  const auto map = folder.write("vocab.json", small_token_map().dump());
  const auto merges = folder.write("merges.txt", kMerges);
  const nlohmann::json single = {
      {"model",
       {{"vocab", small_token_map()},
        {"merges", {"\u0120 \u0120", "\u010a \u010a", "' s", "t '", "d o", "do g"}}}}};
  for (const auto& tokenizer :
       {Gpt2Tokenizer::open(merges), Gpt2Tokenizer::open(merges, map), Gpt2Tokenizer::open(folder.path()),
        Gpt2Tokenizer::open(folder.write("tokenizer.json", single.dump()))}) {
    CHECK(tokenizer->digest() == small()->digest());
    CHECK(tokenizer->encode("a  dog's") == small()->encode("a  dog's"));
  }
}

TEST_CASE("two files that belong to different tokenizers are refused with what differs") {
  const TestFolder folder;
  const auto merges = folder.write("merges.txt", kMerges);
  const auto message_of = [&](const nlohmann::json& map) {
    return refusal_of(ErrorKind::data,
                      [&] { (void)Gpt2Tokenizer::open(merges, folder.write("vocab.json", map.dump())); });
  };
  nlohmann::json swapped = small_token_map();
  std::swap(swapped["do"], swapped["dog"]);
  mentions(message_of(swapped), "vocab.json: the id 260 is 'dog', but from");
  mentions(message_of(swapped), "merges.txt there follows 'do'");
  nlohmann::json larger = small_token_map();
  larger["more"] = 263;
  mentions(message_of(larger), "vocab.json: it has 264 tokens, but from");
  mentions(message_of(larger), "there follow 263");
}

TEST_CASE("what is no GPT-2 vocabulary is refused with its name") {
  const TestFolder folder;
  const auto message_of = [&](const std::string& name, const std::string& content) {
    return refusal_of(ErrorKind::data, [&] { (void)Gpt2Tokenizer::open(folder.write(name, content)); });
  };
  mentions(message_of("a.txt", "#version: 0.2\nd o\nx yz\n"), "a.txt: the merge 'x yz' speaks of 'yz'");
  mentions(message_of("b.txt", "#version: 0.2\nd o g\n"), "b.txt:2: a merge is two symbols");
  mentions(message_of("c.txt", "d o\n"), "'#version'");
  mentions(message_of("d.txt", "#version\xff\n"), "d.txt: this is no merges.txt");
  mentions(message_of("e.txt", ""), "e.txt: the vocabulary is empty");
  mentions(message_of("vocab.json", small_token_map().dump()), "give merges.txt");
  mentions(refusal_of(ErrorKind::io, [&] { (void)Gpt2Tokenizer::open(folder / "none"); }), "none");
}

TEST_CASE("an id that is no token is refused") {
  const auto tokenizer = small();
  mentions(refusal_of(ErrorKind::data, [&] { (void)tokenizer->decode(Ids{263}); }), "the ids 0 to 262");
  mentions(refusal_of(ErrorKind::data, [&] { (void)tokenizer->decode(Ids{-1}); }), "the id -1 is no token");
}

}  // namespace
}  // namespace patchioner
