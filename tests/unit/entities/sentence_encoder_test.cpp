// A sentence encoder from its folder, and folders that do not hold together. Its numbers are checked by the
// golden case decoders/sentence_encoder, its network by bert_test.cpp.
#include "entities/sentence_encoder.hpp"

#include <map>

#include "checkpoint/state_dict.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

constexpr const char* kVocabulary = "[UNK]\n[CLS]\n[SEP]\ndog\ncat\n##s\n";

/// A folder with an encoder of width 4 and one layer.
class EncoderFolder {
 public:
  EncoderFolder() {
    at::manual_seed(1);
    add("embeddings.word_embeddings.weight", {6, 4});
    add("embeddings.position_embeddings.weight", {5, 4});
    add("embeddings.token_type_embeddings.weight", {2, 4});
    add_pair("embeddings.LayerNorm", {4});
    const std::string layer = "encoder.layer.0.";
    for (const char* part : {"query", "key", "value"}) {
      add_pair(layer + "attention.self." + part, {4, 4});
    }
    add_pair(layer + "attention.output.dense", {4, 4});
    add_pair(layer + "attention.output.LayerNorm", {4});
    add_pair(layer + "intermediate.dense", {8, 4});
    add_pair(layer + "output.dense", {4, 8});
    add_pair(layer + "output.LayerNorm", {4});
    folder.write("config.json",
                 R"({"num_attention_heads": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12})");
    folder.write("vocab.txt", kVocabulary);
    write();
  }

  void write(const std::string& prefix = "") const {
    std::vector<std::pair<std::string, at::Tensor>> named;
    for (const auto& [name, tensor] : tensors) {
      named.emplace_back(prefix + name, tensor);
    }
    write_safetensors(folder / "model.safetensors", named);
  }

  std::shared_ptr<const SentenceEncoder> open() const { return SentenceEncoder::open(folder.path()); }

  TestFolder folder;
  std::map<std::string, at::Tensor> tensors;

 private:
  void add(const std::string& name, std::vector<int64_t> shape) { tensors[name] = at::randn(shape); }
  void add_pair(const std::string& name, const std::vector<int64_t>& shape) {
    add(name + ".weight", shape);
    add(name + ".bias", {shape[0]});
  }
};

TEST_CASE("a sentence is the unit vector of the mean of its states, markers included") {
  const EncoderFolder made;
  const auto encoder = made.open();
  CHECK(encoder->dim() == 4);
  CHECK(encoder->tokenize("dogs") == std::vector<int64_t>{1, 3, 5, 2});
  const std::vector<std::string> texts = {"dogs", "cat", "", "dog cat"};
  const at::Tensor rows = encoder->encode(texts);
  for (size_t i = 0; i < texts.size(); ++i) {
    const at::Tensor ids = at::tensor(encoder->tokenize(texts[i]), at::kLong).unsqueeze(0);
    const at::Tensor mean = encoder->network().forward(ids)[0].mean(0);
    CHECK((rows[static_cast<int64_t>(i)] - mean / mean.norm()).abs().max().item<double>() < 1e-5);
  }
}

TEST_CASE("a text is cut to the positions there are, or to what its settings say") {
  const EncoderFolder made;
  CHECK(made.open()->tokenize("dog dog dog dog") == std::vector<int64_t>{1, 3, 3, 3, 2});
  made.folder.write("sentence_bert_config.json", R"({"max_seq_length": 4})");
  CHECK(made.open()->tokenize("dog dog dog dog") == std::vector<int64_t>{1, 3, 3, 2});
}

TEST_CASE("names may have the level bert, and the digest tells settings apart") {
  const EncoderFolder made;
  const auto plain = made.open();
  const std::vector<std::string> text = {"dog"};
  const std::string digest = plain->digest();
  made.folder.write("config.json", R"({"num_attention_heads": 4})");
  CHECK(made.open()->digest() != digest);
  made.folder.write("config.json", R"({"num_attention_heads": 2})");
  CHECK(made.open()->digest() == digest);
  made.write("bert.");
  CHECK(at::equal(made.open()->encode(text), plain->encode(text)));
}

TEST_CASE("files that do not belong together are refused with their numbers") {
  const EncoderFolder made;
  const auto message_of = [&](ErrorKind kind) { return refusal_of(kind, [&] { (void)made.open(); }); };
  made.folder.write("vocab.txt", "[UNK]\n[CLS]\n[SEP]\n");
  mentions(message_of(ErrorKind::data), "vocab.txt: the vocabulary has 3 tokens, but ");
  mentions(message_of(ErrorKind::data), "has 6");
  made.folder.write("vocab.txt", kVocabulary);
  made.folder.write("config.json", R"({"num_attention_heads": 3})");
  mentions(message_of(ErrorKind::data), "num_attention_heads is 3, which does not divide the width 4");
  made.folder.write("config.json", R"({"hidden_act": "gelu"})");
  mentions(message_of(ErrorKind::data), "num_attention_heads is 0");
  made.folder.write("config.json", R"({"num_attention_heads": 2, "hidden_act": "swish"})");
  mentions(message_of(ErrorKind::data), "hidden_act is \"swish\"; known are");
  made.folder.write("config.json", "[]");
  mentions(message_of(ErrorKind::data), "config.json: the settings are no JSON object");
}

TEST_CASE("weights of another network, or cut ones, are refused") {
  EncoderFolder made;
  made.tensors.erase("encoder.layer.0.output.dense.weight");
  made.write();
  mentions(refusal_of(ErrorKind::checkpoint, [&] { (void)made.open(); }),
           "encoder.layer.0.output.dense.weight");
  made.tensors.erase("embeddings.word_embeddings.weight");
  made.write();
  mentions(refusal_of(ErrorKind::checkpoint, [&] { (void)made.open(); }), "this is no BERT-type encoder");
  std::filesystem::remove(made.folder / "model.safetensors");
  mentions(refusal_of(ErrorKind::io, [&] { (void)made.open(); }), "no sentence encoder is there");
}

}  // namespace
}  // namespace patchioner
