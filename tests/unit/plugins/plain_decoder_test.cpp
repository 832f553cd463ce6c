// The decoder `plain` through the host: loading, settings, decoding, saving. Numbers are compared with the
// reference by the golden cases pipeline/decap_*.
#include "checkpoint/state_dict.hpp"
#include "unit/train/test_world.hpp"

namespace patchioner {
namespace {

struct DecoderFolder : TestFolder {
  DecoderFolder() {
    write_vocabulary(*this);
    decoder = small_decoder(path());
    decoder->save((*this / "decoder.pt").string(), "texts of a test");
  }

  std::shared_ptr<Decoder> load(Value::Map options) const {
    Value section(std::move(options));
    section.set("plugin", "plain");
    return host().decoder(section, PluginContext());
  }
  std::shared_ptr<Decoder> load_saved(Value::Map options = {}) const {
    options.emplace_back("weights", (*this / "decoder.pt").string());
    options.emplace_back("vocabulary", (*this / "vocabulary.txt").string());
    return load(std::move(options));
  }
  std::string refusal(ErrorKind kind, Value::Map options) const {
    return refusal_of(kind, [&] { load(std::move(options)); });
  }
  std::string saved() const { return (*this / "decoder.pt").string(); }

  std::shared_ptr<Decoder> decoder;
};

DecodeInput input_of(int64_t rows, bool explain = false) {
  DecodeInput input;
  input.features = DigestBackbone().encode_text(small_captions()).slice(0, 0, rows);
  input.explain = explain;
  return input;
}

TEST_CASE("a saved decoder loads without any setting but its path") {
  const DecoderFolder folder;
  const auto loaded = folder.load_saved();
  CHECK(equal_weights(*loaded, *folder.decoder));
  CHECK(loaded->dim() == DigestBackbone::kDim);
  CHECK(loaded->text_fingerprint() == "texts of a test");
  CHECK(folder.decoder->text_fingerprint().empty());
}

TEST_CASE("a saved decoder has the names of the reference, the tied head included") {
  const DecoderFolder folder;
  const StateDict saved = StateDict::open(folder.saved());
  CHECK(saved.names().size() == 2 + 2 * 12 + 2 + 3);
  CHECK(saved.contains("decoder.transformer.h.1.attn.c_attn.weight"));
  CHECK(saved.info("decoder.transformer.h.1.attn.c_attn.weight")->shape == std::vector<int64_t>{16, 48});
  CHECK(saved.info("clip_project.model.0.weight")->shape == std::vector<int64_t>{16, 8});
  CHECK(at::equal(saved.tensor("decoder.lm_head.weight"), saved.tensor("decoder.transformer.wte.weight")));
}

TEST_CASE("the tied head takes no room of its own in a saved file") {
  const DecoderFolder folder;
  uintmax_t bytes = 0;
  for (const auto& [name, tensor] : folder.decoder->parameters()) {
    bytes += static_cast<uintmax_t>(tensor.nbytes());
  }
  const uintmax_t head = kVocabularySize * 16 * sizeof(float);
  CHECK(std::filesystem::file_size(folder.saved()) < bytes + head);
}

TEST_CASE("names may begin with module., and safetensors do as well") {
  const DecoderFolder folder;
  const StateDict saved = StateDict::open(folder.saved());
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const std::string& name : saved.names()) {
    tensors.emplace_back("module." + name, saved.tensor(name));
  }
  write_safetensors(folder / "distributed.safetensors", tensors);
  const auto loaded = folder.load({{"weights", (folder / "distributed.safetensors").string()}});
  CHECK(equal_weights(*loaded, *folder.decoder));
}

TEST_CASE("missing and mis-shaped tensors are named") {
  const DecoderFolder folder;
  const StateDict saved = StateDict::open(folder.saved());
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const std::string& name : saved.names()) {
    if (name == "decoder.transformer.h.1.ln_2.bias") {
      continue;
    }
    tensors.emplace_back(name,
                         name == "decoder.transformer.ln_f.weight" ? at::ones({5}) : saved.tensor(name));
  }
  write_safetensors(folder / "bad.safetensors", tensors);
  const std::string message =
      folder.refusal(ErrorKind::checkpoint, {{"weights", (folder / "bad.safetensors").string()}});
  CHECK(contains(message, "decoder.transformer.h.1.ln_2.bias"));
  CHECK(contains(message, "decoder.transformer.ln_f.weight"));
}

TEST_CASE("settings that do not fit the weights are refused") {
  const DecoderFolder folder;
  const std::string weights = folder.saved();
  CHECK(contains(folder.refusal(ErrorKind::config, {{"weights", weights}, {"n_head", 3}}),
                 "n_head 3 does not divide n_embd 16"));
  CHECK(contains(folder.refusal(ErrorKind::checkpoint, {{"weights", weights}, {"prefix_size", 9}}),
                 "clip_project.model.0.weight"));
  CHECK(contains(folder.refusal(ErrorKind::checkpoint, {{"weights", weights}, {"vocab_size", 60}}),
                 "wte.weight"));
  CHECK(contains(folder.refusal(ErrorKind::checkpoint, {{"weights", weights}, {"n_layer", 1}}),
                 "more than the 1 blocks"));
  CHECK(contains(folder.refusal(ErrorKind::config, {{"weights", weights}, {"max_length", 33}}),
                 "has 32 positions"));
  CHECK(contains(folder.refusal(ErrorKind::config, {{"weights", weights}, {"n_heads", 2}}), "n_head"));
}

TEST_CASE("a fresh decoder needs the width of its features") {
  const DecoderFolder folder;
  CHECK(contains(folder.refusal(ErrorKind::config, {}), "prefix_size"));
}

TEST_CASE("a config file of another network is refused by the field that differs") {
  const DecoderFolder folder;
  const auto refusal = [&](const std::string& content, ErrorKind kind) {
    return folder.refusal(
        kind, {{"weights", folder.saved()}, {"config", folder.write("config.json", content).string()}});
  };
  CHECK(contains(refusal(R"({"activation_function": "relu"})", ErrorKind::config),
                 "activation_function is \"relu\""));
  CHECK(contains(refusal(R"({"tie_word_embeddings": false})", ErrorKind::config), "tie_word_embeddings"));
  CHECK(contains(refusal(R"({"n_head": -1})", ErrorKind::config), "n_head is -1"));
  CHECK(contains(refusal(R"({"n_head": 2)", ErrorKind::data), "damaged"));
  CHECK(contains(refusal("", ErrorKind::checkpoint), "config.json"));
}

TEST_CASE("all regions at once give what each gives alone") {
  const DecoderFolder folder;
  const auto together = folder.decoder->decode(input_of(7, true));
  for (int64_t row = 0; row < 7; ++row) {
    DecodeInput input = input_of(7, true);
    input.features = input.features.slice(0, row, row + 1);
    const auto alone = folder.decoder->decode(input);
    CHECK(alone[0].token_ids == together[static_cast<size_t>(row)].token_ids);
    CHECK(alone[0].text == together[static_cast<size_t>(row)].text);
    CHECK(alone[0].score == doctest::Approx(together[static_cast<size_t>(row)].score).epsilon(1e-4));
  }
}

TEST_CASE("by default 30 steps are taken and the score is that of all of them") {
  const DecoderFolder folder;
  const auto captions = folder.decoder->decode(input_of(3, true));
  for (const Caption& caption : captions) {
    CHECK(caption.token_ids.size() == 30);
    CHECK(caption.tokens.size() == 30);
    double sum = 0;
    for (const double value : caption.log_probabilities) {
      sum += value;
    }
    CHECK(caption.score == doctest::Approx(std::exp(sum)));
  }
}

TEST_CASE("score_until_end stops at the end marker with the same text") {
  // Trained on its own captions until it says the end marker.
  const TrainingFolder folder;
  SmallTraining training(folder.path());
  training.options.epochs = 40;
  const TrainingOutcome outcome = training.run();
  Value section(Value::Map{{"plugin", "plain"},
                           {"vocabulary", (folder / "vocabulary.txt").string()},
                           {"weights", outcome.checkpoint.string()},
                           {"score_until_end", true}});
  const auto until_end = host().decoder(section, PluginContext());
  const auto full = training.decoder->decode(input_of(10, true));
  const auto stopped = until_end->decode(input_of(10));
  const int64_t end_id = kVocabularySize - 1;
  size_t ended = 0;
  for (size_t i = 0; i < full.size(); ++i) {
    CHECK(stopped[i].text == full[i].text);
    const auto& ids = full[i].token_ids;
    const auto end = std::find(ids.begin(), ids.end(), end_id);
    if (end == ids.end()) {
      continue;
    }
    ++ended;
    CHECK(stopped[i].token_ids == std::vector<int64_t>(ids.begin(), end + 1));
    double sum = 0;
    for (auto step = ids.begin(); step <= end; ++step) {
      sum += full[i].log_probabilities[static_cast<size_t>(step - ids.begin())];
    }
    CHECK(stopped[i].score == doctest::Approx(std::exp(sum)).epsilon(1e-4));
  }
  CHECK(ended > 0);
}

TEST_CASE("without a vocabulary captions are ids, and training is refused") {
  const DecoderFolder folder;
  const auto decoder = folder.load({{"weights", folder.saved()}});
  const auto captions = decoder->decode(input_of(2, true));
  CHECK(captions[0].token_ids.size() == 30);
  CHECK(captions[0].text.empty());
  std::vector<size_t> dropped;
  CHECK(contains(refusal_of(ErrorKind::config, [&] { decoder->training_ids(small_captions(), dropped); }),
                 "'vocabulary'"));
}

TEST_CASE("no feature gives no caption, and features of another width are refused") {
  const DecoderFolder folder;
  CHECK(folder.decoder->decode(input_of(0)).empty());
  DecodeInput input;
  input.features = at::zeros({2, 5});
  CHECK(contains(refusal_of(ErrorKind::data, [&] { folder.decoder->decode(input); }),
                 "reads features of width 8, but was given [2,5]"));
  CHECK(contains(refusal_of(ErrorKind::data, [&] { folder.decoder->decode(DecodeInput()); }),
                 "given [nothing]"));
  CHECK_THROWS_AS(folder.decoder->probe("no such name", {}), Error);
}

TEST_CASE("training ids are the first 20, and captions beyond the context are left out") {
  const DecoderFolder folder;
  std::string fits;
  for (int i = 0; i < 75; ++i) {
    fits += "a ";
  }
  std::vector<size_t> dropped;
  const std::vector<std::string> captions{"a dog", fits + "a", fits, ""};
  const at::Tensor ids = folder.decoder->training_ids(captions, dropped);
  CHECK(dropped == std::vector<size_t>{1});
  CHECK(ids.sizes() == at::IntArrayRef({3, 20}));
  const int64_t start = kVocabularySize - 2;
  const int64_t end = kVocabularySize - 1;
  CHECK(ids[0][0].item<int64_t>() == start);
  CHECK(ids[0][3].item<int64_t>() == end);
  CHECK(ids[0][4].item<int64_t>() == 0);
  CHECK((ids[1] != end).all().item<bool>());  // a long caption loses its end marker
  CHECK(ids[2][1].item<int64_t>() == end);
}

TEST_CASE("a vocabulary that the decoder cannot hold is refused") {
  const DecoderFolder folder;
  CHECK(contains(folder.refusal(ErrorKind::config, {{"vocabulary", (folder / "vocabulary.txt").string()},
                                                    {"prefix_size", 8},
                                                    {"vocab_size", 100},
                                                    {"n_embd", 8},
                                                    {"n_layer", 1},
                                                    {"n_head", 1}}),
                 "vocab_size is 100"));
}

}  // namespace
}  // namespace patchioner
