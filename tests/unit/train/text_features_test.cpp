#include "train/text_features.hpp"

#include "test_world.hpp"

namespace patchioner {
namespace {

TextEncodingOptions small_parts(const std::filesystem::path& cache) {
  TextEncodingOptions options;
  options.cache = cache;
  options.batch = 3;
  options.part = 7;
  return options;
}

TEST_CASE("texts are encoded once; a second time they come from the files") {
  const TestFolder folder;
  const DigestBackbone backbone;
  const auto texts = small_captions();
  const EncodedTexts first = encode_texts(backbone, texts, small_parts(folder / "cache"));
  CHECK(backbone.encoded == texts.size());
  CHECK(at::equal(first.features, backbone.encode_text(texts)));
  CHECK(first.kept.size() == texts.size());
  const size_t before = backbone.encoded;
  const EncodedTexts second = encode_texts(backbone, texts, small_parts(folder / "cache"));
  CHECK(backbone.encoded == before);
  CHECK(at::equal(second.features, first.features));
  CHECK(second.kept == first.kept);
}

TEST_CASE("another text side does not get the features of the first one") {
  const TestFolder folder;
  DigestBackbone backbone;
  const auto texts = small_captions();
  encode_texts(backbone, texts, small_parts(folder / "cache"));
  backbone.fingerprint = "other";
  encode_texts(backbone, texts, small_parts(folder / "cache"));
  CHECK(backbone.encoded == 2 * texts.size());
}

TEST_CASE("other conditions do not get the features of the first ones") {
  const TestFolder folder;
  const DigestBackbone backbone;
  const auto texts = small_captions();
  TextEncodingOptions options = small_parts(folder / "cache");
  options.conditions = "precision=fp32";
  encode_texts(backbone, texts, options);
  options.conditions = "precision=bf16";
  encode_texts(backbone, texts, options);
  CHECK(backbone.encoded == 2 * texts.size());
}

TEST_CASE("a backbone without a fingerprint is not remembered") {
  const TestFolder folder;
  DigestBackbone backbone;
  backbone.fingerprint.clear();
  encode_texts(backbone, small_captions(), small_parts(folder / "cache"));
  CHECK_FALSE(std::filesystem::exists(folder / "cache"));
}

TEST_CASE("texts that the text side refuses are left out, here and in the files") {
  const TestFolder folder;
  DigestBackbone backbone;
  backbone.longest = 12;
  const std::vector<std::string> texts{"short", "a text that is too long", "also short",
                                       "and this one is long too"};
  for (int pass = 0; pass < 2; ++pass) {
    const EncodedTexts encoded = encode_texts(backbone, texts, small_parts(folder / "cache"));
    CHECK(encoded.kept == std::vector<int64_t>{0, 2});
    CHECK(at::equal(encoded.features, backbone.encode_text(std::vector<std::string>{"short", "also short"})));
  }
}

TEST_CASE("a damaged file of the cache is encoded again") {
  const TestFolder folder;
  const DigestBackbone backbone;
  const auto texts = small_captions();
  const EncodedTexts first = encode_texts(backbone, texts, small_parts(folder / "cache"));
  for (const auto& entry : std::filesystem::directory_iterator(folder / "cache")) {
    std::filesystem::resize_file(entry.path(), std::filesystem::file_size(entry.path()) / 2);
  }
  const size_t before = backbone.encoded;
  const EncodedTexts second = encode_texts(backbone, texts, small_parts(folder / "cache"));
  CHECK(backbone.encoded == before + texts.size());
  CHECK(at::equal(second.features, first.features));
}

}  // namespace
}  // namespace patchioner
