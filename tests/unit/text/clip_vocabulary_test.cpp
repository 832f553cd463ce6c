// Small vocabularies in every form, and damaged ones. Ids of a small text vocabulary: 256 bytes, the same at
// the end of a word, the merges, the two markers (spec/02 section 10.1).
#include "text/clip_vocabulary.hpp"

#include <zlib.h>

#include <patchioner/error.hpp>

#include "refusals.hpp"
#include "test_files.hpp"
#include "text/byte_pairs.hpp"
#include "text/clip_tokenizer.hpp"

namespace patchioner {
namespace {

constexpr const char* kMerges = "#version: 0.2\nc a\nca t</w>\nd o\n";

std::string message_of(const std::filesystem::path& path) {
  return refusal_of([&] { (void)ClipTokenizer::open(path); });
}

nlohmann::json small_token_map() {
  nlohmann::json tokens;
  const ByteAlphabet& alphabet = ByteAlphabet::instance();
  int id = 0;
  for (const char* ending : {"", "</w>"}) {
    for (const uint8_t byte : alphabet.order) {
      tokens[alphabet.symbol[byte] + ending] = id++;
    }
  }
  for (const char* token : {"ca", "cat</w>", "do", "<|startoftext|>", "<|endoftext|>"}) {
    tokens[token] = id++;
  }
  return tokens;
}

std::string gzipped(const std::string& text) {
  std::string packed(compressBound(text.size()) + 64, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

TEST_CASE("a small text vocabulary numbers bytes, merges and markers") {
  const TestFolder folder;
  const auto tokenizer = ClipTokenizer::open(folder.write("tiny.txt", kMerges));
  CHECK(tokenizer->size() == 517);
  CHECK(tokenizer->start_id() == 515);
  CHECK(tokenizer->end_id() == 516);
  CHECK(tokenizer->encode("Cat") == std::vector<int64_t>{513});
  CHECK(tokenizer->encode("dog") == std::vector<int64_t>{514, 256 + 'g' - 33});
  CHECK(tokenizer->decode(tokenizer->encode("do cats")) == "do cats ");
}

TEST_CASE("all forms of one vocabulary give the same ids and the same digest") {
  const TestFolder folder;
  const auto plain = ClipTokenizer::open(folder.write("tiny.txt", kMerges));
  const auto packed = ClipTokenizer::open(folder.write("named_anything", gzipped(kMerges)));
  folder.write("merges.txt", kMerges);
  const auto map = ClipTokenizer::open(folder.write("vocab.json", small_token_map().dump()));
  const auto in_folder = ClipTokenizer::open(folder.path());
  const nlohmann::json tokenizer_json = {
      {"model",
       {{"vocab", small_token_map()}, {"merges", {"c a", nlohmann::json::array({"ca", "t</w>"}), "d o"}}}}};
  const auto single = ClipTokenizer::open(folder.write("other.json", tokenizer_json.dump()));
  for (const auto& other : {packed, map, in_folder, single}) {
    CHECK(other->digest() == plain->digest());
    CHECK(other->encode("a cat, DO!") == plain->encode("a cat, DO!"));
  }
}

TEST_CASE("a pair is merged everywhere before a pair that it makes possible, even one of lower rank") {
  // Of "x y", "y z" and "xy z" the last has the lowest rank; both "x y" come first all the same.
  BytePairMerges merges;
  merges.add(12, 3, 123);  // xy z
  merges.add(1, 2, 12);    // x y
  merges.add(2, 3, 23);    // y z
  std::vector<int32_t> symbols = {1, 2, 3, 1, 2, 1, 2, 3, 2, 3};
  merges.apply(symbols);
  CHECK(symbols == std::vector<int32_t>{123, 12, 123, 23});
}

TEST_CASE("equal symbols are merged from left to right without overlap") {
  BytePairMerges merges;
  merges.add(1, 1, 2);
  std::vector<int32_t> odd = {1, 1, 1, 1, 1};
  merges.apply(odd);
  CHECK(odd == std::vector<int32_t>{2, 2, 1});
  std::vector<int32_t> none;
  merges.apply(none);
  CHECK(none.empty());
}

TEST_CASE("the byte alphabet holds every byte once") {
  const ByteAlphabet& alphabet = ByteAlphabet::instance();
  CHECK(alphabet.order[0] == '!');
  CHECK(alphabet.order[187] == 255);
  CHECK(alphabet.order[188] == 0);
  CHECK(alphabet.symbol[0] == "\xc4\x80");    // U+0100
  CHECK(alphabet.symbol[' '] == "\xc4\xa0");  // U+0120
  CHECK(alphabet.symbol[173] == "\xc5\x83");  // U+0143, the last
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all += alphabet.symbol[static_cast<size_t>(byte)];
  }
  const std::string bytes = alphabet.to_bytes(all);
  REQUIRE(bytes.size() == 256);
  for (int byte = 0; byte < 256; ++byte) {
    CHECK(static_cast<uint8_t>(bytes[static_cast<size_t>(byte)]) == byte);
  }
}

TEST_CASE("a gzip file that was cut or damaged is refused") {
  const TestFolder folder;
  std::string packed = gzipped(kMerges);
  CHECK(contains(message_of(folder.write("cut.gz", packed.substr(0, packed.size() - 9))), "damaged or cut"));
  CHECK(contains(message_of(folder.write("head.gz", packed.substr(0, 5))), "damaged or cut"));
  packed[packed.size() - 6] ^= 1;  // of the checksum
  CHECK(contains(message_of(folder.write("bad.gz", packed)), "damaged or cut"));
}

TEST_CASE("what is no vocabulary is refused with the reason") {
  const TestFolder folder;
  CHECK(contains(message_of(folder.path() / "absent.txt"), "absent.txt"));
  CHECK(contains(message_of(folder.path()), "holds no tokenizer vocabulary"));
  CHECK(contains(message_of(folder.write("empty.txt", "")), "empty"));
  CHECK(contains(message_of(folder.write("prose.txt", "Once upon a time\nthere was\n")), "#version"));
  CHECK(contains(message_of(folder.write("binary.bin", std::string("\x89PNG\r\n\x1a\n\xff\xfe\0", 10))),
                 "no tokenizer vocabulary"));
  CHECK(contains(message_of(folder.write("cut.txt", "#version: 0.2\nc a\nca")), "cut.txt:3"));
  CHECK(contains(message_of(folder.write("unknown.txt", "#version: 0.2\nc a\nco w</w>\n")), "'co'"));
}

TEST_CASE("a token map that is damaged is refused with the reason") {
  const TestFolder folder;
  nlohmann::json tokens = small_token_map();
  const std::string good = tokens.dump();
  CHECK(contains(message_of(folder.write("vocab.json", good)), "merges.txt"));
  folder.write("merges.txt", kMerges);
  CHECK(contains(message_of(folder.write("vocab.json", good.substr(0, good.size() / 2))), "no valid JSON"));
  CHECK(contains(message_of(folder.write("vocab.json", "{}")), "from token to id"));
  tokens["cat</w>"] = 512;
  CHECK(contains(message_of(folder.write("vocab.json", tokens.dump())), "each once"));
  tokens["cat</w>"] = -4;
  CHECK(contains(message_of(folder.write("vocab.json", tokens.dump())), "must be 0 to 516"));
  tokens = small_token_map();
  tokens.erase("<|endoftext|>");
  CHECK(contains(message_of(folder.write("vocab.json", tokens.dump())), "the end marker"));
  tokens = small_token_map();
  tokens.erase("do");
  tokens["dx"] = 514;
  CHECK(contains(message_of(folder.write("vocab.json", tokens.dump())), "'do'"));
  CHECK(contains(message_of(folder.write("vocab.json", R"({"model": {"type": "WordPiece", "vocab": {}}})")),
                 "only byte-pair models"));
}

}  // namespace
}  // namespace patchioner
