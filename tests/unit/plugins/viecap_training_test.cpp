// Training of the decoders `viecap` and `clipcap` through the host, over the small model of the golden case
// decoders/viecap_train, which holds losses, gradients and updates against the reference.
#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <patchioner/error.hpp>

#include "checkpoint/state_dict.hpp"
#include "refusals.hpp"
#include "runtime/plugin_host.hpp"
#include "test_folder.hpp"
#include "train/text_trainer.hpp"

namespace patchioner {
namespace {

const std::string kFolder = std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/decoders/viecap_train/";
const std::string kWeights = kFolder + "coco_prefix-0014.pt";
constexpr int64_t kDim = 24;

const std::vector<std::string> kCaptions = {"A dog on a road.", "A cat and a bus at night!", "A tree."};

/// A vocabulary, read when a training asks for it.
std::string words_file() {
  static const TestFolder folder;
  return folder.write("words.txt", "dog\nroad\nbus\ncat\nblorf\n").string();
}

/// The small model, to be trained with a vocabulary of a few words; a later one of a key wins.
struct Trained {
  TestFolder folder;
  Value options;

  explicit Trained(const Value::Map& more = {}, const Value::Map& training = {}) {
    Value section(Value::Map{{"vocabulary", words_file()}, {"dropout", 0.0}});
    for (const auto& [key, value] : training) {
      section.set(key, value);
    }
    options = Value(Value::Map{{"plugin", "viecap"},
                               {"weights", kWeights},
                               {"tokenizer", Value::Map{{"merges", kFolder + "merges.txt"}}},
                               {"heads", Value::Map{{"mapping", int64_t{8}}, {"language_model", int64_t{4}}}},
                               {"training", section}});
    for (const auto& [key, value] : more) {
      options.set(key, value);
    }
  }

  std::shared_ptr<Decoder> decoder() const {
    PluginHost host;
    return host.decoder(options, PluginContext());
  }
  std::string refusal(ErrorKind kind) const {
    return refusal_of(kind, [&] { (void)decoder(); });
  }
};

const Value kFresh = Value::Map{{"dim", kDim},
                                {"width", int64_t{32}},
                                {"layers", int64_t{1}},
                                {"positions", int64_t{90}},
                                {"prompt_length", int64_t{3}},
                                {"projected_length", int64_t{2}},
                                {"mapping_layers", int64_t{1}}};

/// Uniform numbers of a list, and how many were drawn.
class ListedDraws final : public RandomSource {
 public:
  explicit ListedDraws(std::vector<double> draws) : draws_(std::move(draws)) {}
  size_t drawn = 0;
  at::Tensor normal(at::IntArrayRef shape) override { return at::zeros(shape); }
  at::Tensor uniform(at::IntArrayRef shape) override { return at::full(shape, draws_.at(drawn++)); }

 private:
  std::vector<double> draws_;
};

TrainingBatch batch_of(const Decoder& decoder) {
  TrainingBatch batch;
  batch.features = at::ones({static_cast<int64_t>(kCaptions.size()), kDim}) / 5;
  std::vector<size_t> dropped;
  batch.ids = decoder.training_ids(kCaptions, dropped);
  if (decoder.reads_training_entities()) {
    for (const std::string& caption : kCaptions) {
      batch.entities.push_back(decoder.training_entities(caption));
    }
  }
  return batch;
}

double loss_of(const Decoder& decoder, const TrainingBatch& batch, std::vector<double> draws) {
  ListedDraws random(std::move(draws));
  return decoder.loss(batch, random, /*training=*/false).value.item<double>();
}

OptimizerOptions fast_optimizer() {
  OptimizerOptions options;
  options.learning_rate = 0.01;
  options.warmup_steps = 0;
  options.total_steps = 1000;
  return options;
}

/// Some updates with every entity kept.
void train(const Decoder& decoder, int steps) {
  TextTrainer trainer(decoder, {}, fast_optimizer());
  for (int step = 0; step < steps; ++step) {
    ListedDraws random(std::vector<double>(20, 0.9));
    trainer.step(batch_of(decoder), random);
  }
}

TEST_CASE("ViECap is trained on cleaned captions, their nouns found by the vocabulary") {
  const auto decoder = Trained().decoder();
  CHECK(decoder->training_text(" two DOGS on a road ") == "Two DOGS on a road.");
  CHECK(decoder->reads_training_entities());
  CHECK(decoder->training_entities("Two dogs and a man on a road.") ==
        std::vector<std::string>{"dog", "man", "road"});
  // An invented word, which no lexicon has.
  CHECK(decoder->training_entities("Two blorfs and a tree.") == std::vector<std::string>{"blorf", "tree"});
  std::vector<size_t> dropped;
  const at::Tensor ids = decoder->training_ids(std::vector<std::string>{"A dog.", "", "A cat."}, dropped);
  CHECK(ids.size(0) == 2);
  CHECK(dropped == std::vector<size_t>{1});
}

TEST_CASE("entities stand in the prompt unless the draw leaves them out, one draw each that is left") {
  const auto decoder = Trained().decoder();
  TrainingBatch batch = batch_of(*decoder);  // dog road; cat bus; "tree", not in the vocabulary
  CHECK(batch.entities[2] == std::vector<std::string>{"tree"});
  batch.entities[0].emplace_back("nonsense");  // in no vocabulary: no draw
  ListedDraws random(std::vector<double>(20, 0.4));
  decoder->loss(batch, random, false);
  CHECK(random.drawn == 4);
  const double all = loss_of(*decoder, batch, {0.4, 0.4, 0.4, 0.4});
  const double some = loss_of(*decoder, batch, {0.4, 0.4, 0.4, 0.39});
  batch.entities[1] = {"cat"};
  CHECK(loss_of(*decoder, batch, {0.4, 0.4, 0.4}) == doctest::Approx(some).epsilon(1e-6));
  CHECK(all != doctest::Approx(some).epsilon(1e-6));
  batch.entities = {{}, {}, {}};
  const double none = loss_of(*decoder, batch, {});
  batch = batch_of(*decoder);
  CHECK(loss_of(*decoder, batch, {0, 0, 0, 0}) == doctest::Approx(none).epsilon(1e-6));
}

TEST_CASE("a frozen GPT-2 stays as it is and has no dropout, the network before it learns") {
  Trained frozen({}, {{"frozen_gpt", true}, {"dropout", 0.5}});
  const auto decoder = frozen.decoder();
  for (const auto& [name, tensor] : decoder->parameters()) {
    CHECK(name.starts_with("mapping_network."));
  }
  const TrainingBatch batch = batch_of(*decoder);
  ListedDraws first(std::vector<double>(20, 0.9)), second(std::vector<double>(20, 0.9));
  CHECK(decoder->loss(batch, first, true).value.item<double>() ==
        decoder->loss(batch, second, true).value.item<double>());
  train(*decoder, 2);
  const std::string file = (frozen.folder / "trained.pt").string();
  decoder->save(file, "");
  const StateDict before = StateDict::open(kWeights, ""), after = StateDict::open(file, "");
  for (const std::string& name : after.names()) {
    CAPTURE(name);
    CHECK(at::equal(before.tensor(name), after.tensor(name)) == name.starts_with("gpt."));
  }
}

TEST_CASE("dropout is on while a GPT-2 is trained, and only then") {
  const auto decoder = Trained({}, {{"dropout", 0.5}}).decoder();
  const TrainingBatch batch = batch_of(*decoder);
  const auto loss = [&](bool training) {
    ListedDraws random(std::vector<double>(20, 0.9));
    return decoder->loss(batch, random, training).value.item<double>();
  };
  CHECK(loss(false) == loss(false));
  CHECK(loss(true) != loss(true));
}

TEST_CASE("what was trained is saved in the reference's layout and captions as the trained decoder does") {
  const Value entities = Value::Map{
      {"names", std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/decoders/viecap/coco_categories.json"},
      {"embeddings",
       std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/decoders/viecap/entity_embeddings.safetensors"}};
  const Trained trained({{"entities", entities}});
  const auto decoder = trained.decoder();
  DecodeInput input;
  input.features = at::eye(4, kDim);
  input.region_features = input.features;
  const auto before = decoder->decode(input);
  train(*decoder, 8);
  const std::string file = (trained.folder / "coco_prefix-000.pt").string();
  decoder->save(file, "a text side");
  const StateDict reference = StateDict::open(kWeights, ""), saved = StateDict::open(file, "");
  for (const std::string& name : reference.names()) {
    if (name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias")) {
      continue;  // buffers of old versions, which nobody reads
    }
    CAPTURE(name);
    REQUIRE(saved.contains(name));
    CHECK(saved.info(name)->shape == reference.info(name)->shape);
  }
  CHECK(saved.names().size() == 128);
  CHECK(at::equal(saved.tensor("gpt.lm_head.weight"), saved.tensor("gpt.transformer.wte.weight")));

  // Heads and text side are kept beside it.
  Trained again({{"weights", file}, {"entities", entities}, {"heads", Value()}});
  const auto loaded = again.decoder();
  CHECK(loaded->text_fingerprint() == "a text side");
  const auto ours = decoder->decode(input);
  const auto theirs = loaded->decode(input);
  size_t differing = 0;
  for (size_t row = 0; row < ours.size(); ++row) {
    CHECK(ours[row].token_ids == theirs[row].token_ids);
    differing += ours[row].token_ids != before[row].token_ids ? 1 : 0;
  }
  CHECK(differing > 0);
}

TEST_CASE("a fresh ViECap begins from sizes, or from a GPT-2") {
  Trained fresh({{"weights", ""},
                 {"fresh", kFresh},
                 {"heads", Value::Map{{"mapping", int64_t{4}}, {"language_model", int64_t{4}}}}});
  at::manual_seed(3);
  const auto decoder = fresh.decoder();
  CHECK(decoder->dim() == kDim);
  const TrainingBatch batch = batch_of(*decoder);
  const double before = loss_of(*decoder, batch, std::vector<double>(20, 0.9));
  train(*decoder, 10);
  CHECK(loss_of(*decoder, batch, std::vector<double>(20, 0.9)) < before - 1);

  // The language model of the small decoder, alone.
  const StateDict whole = StateDict::open(kWeights, "");
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const std::string& name : whole.names()) {
    if (name.starts_with("gpt.transformer.")) {
      tensors.emplace_back(name.substr(std::string("gpt.transformer.").size()), whole.tensor(name));
    }
  }
  write_safetensors(fresh.folder / "gpt2.safetensors", tensors);
  Value sizes(Value::Map{{"dim", int64_t{7}}, {"prompt_length", int64_t{5}}});
  const Trained begun(
      {{"weights", ""}, {"language_model", (fresh.folder / "gpt2.safetensors").string()}, {"fresh", sizes}});
  const auto other = begun.decoder();
  CHECK(other->dim() == 7);
  for (const auto& [name, tensor] : other->parameters()) {
    CAPTURE(name);
    if (name.starts_with("gpt.")) {
      CHECK(at::equal(tensor, whole.tensor(name)));
    }
    if (name == "mapping_network.prefix_const") {
      CHECK(tensor.sizes() == at::IntArrayRef({5, 32}));
    }
  }
}

TEST_CASE("ClipCap is trained on captions as they are, with either network") {
  for (const char* network : {"transformer", "mlp"}) {
    Value sizes = kFresh;
    sizes.set("network", network);
    Trained fresh({{"plugin", "clipcap"},
                   {"weights", ""},
                   {"fresh", sizes},
                   {"heads", Value::Map{{"mapping", int64_t{4}}, {"language_model", int64_t{4}}}},
                   {"training", Value::Map{{"dropout", 0.0}}}});
    at::manual_seed(3);
    const auto decoder = fresh.decoder();
    CHECK_FALSE(decoder->reads_training_entities());
    CHECK(decoder->training_text("a dog") == "a dog");
    train(*decoder, 4);
    const std::string file = (fresh.folder / "trained.pt").string();
    decoder->save(file, "");
    const StateDict saved = StateDict::open(file, "");
    CHECK(saved.contains(network == std::string("mlp") ? "clip_project.model.0.weight"
                                                       : "clip_project.prefix_const"));
    Trained again({{"plugin", "clipcap"}, {"weights", file}, {"training", Value()}, {"heads", Value()}});
    DecodeInput input;
    input.features = at::eye(2, kDim);
    const auto ours = decoder->decode(input);
    const auto theirs = again.decoder()->decode(input);
    CHECK(ours[0].token_ids == theirs[0].token_ids);
    CHECK(ours[1].token_ids == theirs[1].token_ids);
  }
}

TEST_CASE("what a training cannot begin with is refused by name") {
  mentions(Trained(Value::Map{{"weights", ""}}).refusal(ErrorKind::config),
           "it has no weights; give 'weights', or 'fresh'");
  mentions(Trained(Value::Map{{"fresh", kFresh}}).refusal(ErrorKind::config),
           "it has 'weights' and also 'fresh'");
  mentions(Trained({{"weights", ""}, {"language_model", kWeights}, {"fresh", Value::Map{{"dim", kDim}}}})
               .refusal(ErrorKind::checkpoint),
           "`language_model` must be a GPT-2 alone");
  // A tokenizer of fewer ids than the language model.
  Trained other;
  other.options.set(
      "tokenizer", Value::Map{{"merges", other.folder.write("merges.txt", "#version: 0.2\na b\n").string()}});
  mentions(other.refusal(ErrorKind::data), "the tokenizer has 258 ids, but the language model of");

  Trained without;
  without.options.set("training", Value::Map{{"dropout", 0.0}});
  const auto decoder = without.decoder();
  std::vector<size_t> dropped;
  mentions(refusal_of(ErrorKind::config,
                      [&] {
                        DecodeInput input;
                        input.features = at::ones({1, kDim});
                        (void)decoder->decode(input);
                      }),
           "decoder.entities is missing");
  Value few = kFresh;
  few.set("positions", int64_t{30});
  const auto narrow =
      Trained({{"weights", ""},
               {"fresh", few},
               {"heads", Value::Map{{"mapping", int64_t{4}}, {"language_model", int64_t{4}}}}})
          .decoder();
  mentions(refusal_of(ErrorKind::config, [&] { narrow->training_ids(kCaptions, dropped); }),
           "but the language model has 30; give it more (fresh.positions)");
}

}  // namespace
}  // namespace patchioner
