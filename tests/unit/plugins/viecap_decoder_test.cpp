// The decoder `viecap` through the host, over the small model of the golden case decoders/viecap, which holds
// its numbers against the reference.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <patchioner/error.hpp>

#include "checkpoint/state_dict.hpp"
#include "config/config.hpp"
#include "refusals.hpp"
#include "runtime/plugin_host.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

const std::string kFolder = std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/decoders/viecap/";
constexpr int64_t kDim = 24;

/// The options of the small model; more may be added, a later one of a key wins.
Value section(const Value::Map& more = {}) {
  Value options(
      Value::Map{{"plugin", "viecap"},
                 {"weights", kFolder + "coco_prefix-0014.pt"},
                 {"tokenizer", Value::Map{{"merges", kFolder + "merges.txt"}}},
                 {"heads", Value::Map{{"mapping", int64_t{8}}, {"language_model", int64_t{4}}}},
                 {"entities", Value::Map{{"names", kFolder + "coco_categories.json"},
                                         {"embeddings", kFolder + "entity_embeddings.safetensors"}}}});
  for (const auto& [key, value] : more) {
    options.set(key, value);
  }
  return options;
}

std::shared_ptr<Decoder> viecap(const Value& options) {
  PluginHost host;
  return host.decoder(options, PluginContext());
}

std::string refusal(ErrorKind kind, const Value::Map& more) {
  return refusal_of(kind, [&] { (void)viecap(section(more)); });
}

DecodeInput features_of_case() {
  DecodeInput input;
  input.features = StateDict::open(kFolder + "expected.safetensors", "").tensor("features");
  input.region_features = input.features;
  input.explain = true;
  return input;
}

std::vector<std::vector<int64_t>> ids_of(const std::vector<Caption>& captions) {
  std::vector<std::vector<int64_t>> ids;
  for (const Caption& caption : captions) {
    ids.push_back(caption.token_ids);
  }
  return ids;
}

const Value kBeam = Value::Map{{"type", "beam"}, {"beam_width", int64_t{5}}};
const Value kSamples = Value::Map{{"type", "nucleus"}, {"seed", int64_t{3}}, {"n_best", int64_t{2}}};

/// A text side whose names come out as one row each of the identity, whatever they are.
class CountingBackbone final : public Backbone {
 public:
  mutable int64_t calls = 0;
  const ImageSpec& image_spec() const override { return spec_; }
  int64_t dim() const override { return kDim; }
  std::string text_fingerprint() const override { return "counting"; }
  ImageFeatures encode(const at::Tensor&, std::span<const std::string>) const override { return {}; }
  at::Tensor encode_text(std::span<const std::string> texts) const override {
    ++calls;
    at::Tensor rows = at::zeros({static_cast<int64_t>(texts.size()), kDim});
    for (size_t i = 0; i < texts.size(); ++i) {
      // "dog" lies on the first axis, all others on the second.
      rows[static_cast<int64_t>(i)][texts[i].find("dog") != std::string::npos ? 0 : 1] = 1;
    }
    return rows;
  }

 private:
  ImageSpec spec_;
};

TEST_CASE("ViECap: all regions at once give what each gives alone, by all searches") {
  for (const Value& search : {Value(Value::Map{{"type", "greedy"}}), kBeam, kSamples}) {
    const auto decoder = viecap(section({{"search", search}}));
    const DecodeInput all = features_of_case();
    const std::vector<Caption> together = decoder->decode(all);
    for (int64_t row = 0; row < all.features.size(0); ++row) {
      DecodeInput one = all;
      one.features = all.features.slice(0, row, row + 1);
      one.region_features = one.features;
      const Caption alone = decoder->decode(one).front();
      const Caption& expected = together[static_cast<size_t>(row)];
      CHECK(alone.token_ids == expected.token_ids);
      CHECK(alone.score == doctest::Approx(expected.score).epsilon(1e-4));
    }
  }
}

TEST_CASE("ViECap: a feature that is not finite gets an empty caption and changes no other") {
  const auto decoder = viecap(section());
  DecodeInput input = features_of_case();
  const std::vector<Caption> before = decoder->decode(input);
  input.features = input.features.clone();
  input.features[2][5] = std::numeric_limits<float>::quiet_NaN();
  input.region_features = input.features;
  const at::Tensor kept = input.features.clone();
  const std::vector<Caption> captions = decoder->decode(input);
  REQUIRE(captions.size() == before.size());
  CHECK(captions[2].text.empty());
  CHECK(captions[2].token_ids.empty());
  CHECK(captions[1].token_ids == before[1].token_ids);
  CHECK(captions[3].token_ids == before[3].token_ids);
  CHECK(at::equal(input.features.nan_to_num(), kept.nan_to_num()));
}

TEST_CASE("ViECap: the length of a feature does not matter") {
  const auto decoder = viecap(section());
  DecodeInput input = features_of_case();
  const auto before = ids_of(decoder->decode(input));
  input.features = input.features * 40;
  input.region_features = input.features;
  CHECK(ids_of(decoder->decode(input)) == before);
}

TEST_CASE("ViECap: entities are those of the feature before the gap unless the one behind is asked for") {
  const DecodeInput own = features_of_case();
  DecodeInput swapped = own;
  swapped.region_features = own.features.flip(0);
  const auto raw = viecap(section({{"layout", "only_hard"}}));
  const auto bridged = viecap(section({{"layout", "only_hard"}, {"retrieval_feature", "bridged"}}));
  std::vector<std::vector<int64_t>> expected = ids_of(raw->decode(own));
  CHECK(ids_of(bridged->decode(swapped)) == expected);
  std::reverse(expected.begin(), expected.end());
  CHECK(ids_of(raw->decode(swapped)) == expected);
}

TEST_CASE("ViECap: the score is a perplexity, or the mean log-probability of the tokens") {
  const DecodeInput input = features_of_case();
  for (const Caption& caption : viecap(section())->decode(input)) {
    CHECK(caption.score > 1);
  }
  const auto decoder = viecap(section({{"score", "log_probability"}, {"search", kBeam}}));
  for (const Caption& caption : decoder->decode(input)) {
    double sum = 0;
    for (const double value : caption.log_probabilities) {
      sum += value;
    }
    CHECK(caption.tokens.size() == caption.token_ids.size());
    CHECK(caption.score ==
          doctest::Approx(sum / static_cast<double>(caption.token_ids.size())).epsilon(1e-4));
  }
}

TEST_CASE("ViECap: captions stop where they are told to") {
  const DecodeInput input = features_of_case();
  const auto full = viecap(section())->decode(input);
  const auto words = viecap(section({{"search", Value::Map{{"max_length", int64_t{3}}}}}))->decode(input);
  for (size_t row = 0; row < full.size(); ++row) {
    REQUIRE(full[row].token_ids.size() > 3);
    CHECK(words[row].token_ids ==
          std::vector<int64_t>(full[row].token_ids.begin(), full[row].token_ids.begin() + 3));
    CHECK(full[row].raw_text.ends_with("."));
    CHECK_FALSE(full[row].text.ends_with("."));
  }
}

TEST_CASE("ViECap: embeddings that are not given are made with the backbone once, and kept in a folder") {
  const TestFolder folder;
  const std::string names = folder.write("names.txt", "dog\npark\n").string();
  const Value::Map entities{{"names", names}, {"cache", (folder / "cache").string()}};
  const auto decoder = viecap(section({{"entities", entities}}));
  CountingBackbone backbone;
  DecodeInput input = features_of_case();
  input.backbone = &backbone;
  input.region_features = at::zeros_like(input.features);
  input.region_features.select(1, 0).fill_(1);  // everything is a dog
  const auto first = ids_of(decoder->decode(input));
  CHECK(backbone.calls == 1);
  CHECK(ids_of(decoder->decode(input)) == first);
  CHECK(ids_of(viecap(section({{"entities", entities}}))->decode(input)) == first);
  CHECK(backbone.calls == 1);
  input.region_features = input.region_features.roll(1, 1);  // everything is a park
  CHECK(ids_of(decoder->decode(input)) != first);

  input.backbone = nullptr;
  mentions(refusal_of(ErrorKind::config, [&] { (void)decoder->decode(input); }), names);
}

TEST_CASE("ViECap: without hard prompts no entities are needed") {
  const auto decoder = viecap(section({{"layout", "no_hard"}, {"entities", Value()}}));
  CHECK(decoder->decode(features_of_case()).size() == 6);
  CHECK(decoder->dim() == kDim);
}

TEST_CASE("ViECap: what does not go together is refused with names and numbers") {
  const TestFolder folder;
  const std::string few = folder.write("merges.txt", "#version: 0.2\na b\n").string();
  const std::string tokenizer = refusal(ErrorKind::data, {{"tokenizer", Value::Map{{"merges", few}}}});
  mentions(tokenizer, few);
  mentions(tokenizer, "258 ids");
  mentions(tokenizer, "600");

  write_safetensors(folder / "wide.safetensors", {{"embeddings", at::ones({50, 7})}});
  const std::string embeddings = refusal(
      ErrorKind::config, {{"entities", Value::Map{{"names", kFolder + "coco_categories.json"},
                                                  {"embeddings", (folder / "wide.safetensors").string()}}}});
  mentions(embeddings, "wide.safetensors");
  mentions(embeddings, "7 wide");
  mentions(embeddings, "width 24");

  mentions(refusal(ErrorKind::config, {{"heads", Value::Map{{"language_model", int64_t{5}}}}}),
           "n_head 5 does not divide n_embd 32");
  mentions(refusal(ErrorKind::config, {{"search", Value::Map{{"beam", int64_t{5}}}}}), "beam_width");
  mentions(refusal(ErrorKind::config, {{"entities", Value()}}), "names");
  mentions(refusal(ErrorKind::checkpoint,
                   {{"weights", std::string(PATCHIONER_SOURCE_DIR) + "/models/emoji/decoder_clip.pt"}}),
           "the decoder plain reads it");
}

TEST_CASE("ViECap: a caption that would not fit behind its prompt is refused with both numbers") {
  const auto decoder = viecap(section({{"search", Value::Map{{"max_length", int64_t{200}}}}}));
  const std::string message =
      refusal_of(ErrorKind::config, [&] { (void)decoder->decode(features_of_case()); });
  mentions(message, "128");
}

TEST_CASE("ViECap: paths of inner sections start at the folder of the file that says them") {
  const std::string yaml =
      "plugin: viecap\nweights: coco_prefix-0014.pt\ntokenizer: {merges: merges.txt, vocabulary: "
      "vocab.json}\n"
      "heads: {language_model: 4}\nentities: {names: coco_categories.json, embeddings: "
      "entity_embeddings.safetensors}\n";
  CHECK(viecap(parse_yaml(yaml, kFolder + "decoder.yaml"))->dim() == kDim);
}

}  // namespace
}  // namespace patchioner
