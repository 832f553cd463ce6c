// The decoder `meacap` through the host, over the small model and memory of the golden case decoders/meacap,
// which holds its numbers against the reference.
#include <doctest/doctest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "checkpoint/state_dict.hpp"
#include "config/config.hpp"
#include "refusals.hpp"
#include "runtime/plugin_host.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

const std::string kFolder = std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/decoders/meacap/";
constexpr int64_t kDim = 24;
const Value kLexical = Value::Map{{"type", "lexical"}};

/// The options of the small model; the section `meacap` of them is given.
Value options_of(const Value::Map& meacap, const Value::Map& more = {}) {
  Value options(Value::Map{{"plugin", "meacap"},
                           {"weights", kFolder + "coco_prefix-0014.pt"},
                           {"tokenizer", Value::Map{{"merges", kFolder + "merges.txt"}}},
                           {"heads", Value::Map{{"mapping", int64_t{8}}, {"language_model", int64_t{4}}}},
                           {"meacap", meacap}});
  for (const auto& [key, value] : more) {
    options.set(key, value);
  }
  return options;
}

std::shared_ptr<Decoder> made(const Value& options) {
  PluginHost host;
  return host.decoder(options, PluginContext());
}

std::string refusal(ErrorKind kind, const Value::Map& meacap, const Value::Map& more = {}) {
  return refusal_of(kind, [&] { (void)made(options_of(meacap, more)); });
}

/// Unit vectors of the space, a row each.
at::Tensor axes(const std::vector<int64_t>& chosen) {
  return at::eye(kDim).index_select(0, at::tensor(chosen, at::kLong));
}

/// Three captions of a horse on the first axis, three of a boat on the second, and a lexicon for them.
class SmallMemory {
 public:
  SmallMemory() {
    folder.write("memory_captions.json",
                 R"(["A brown horse", "the brown horse in a field", "a brown horses",
                     "A boat", "one boat near a beach", "small boat"])");
    write_safetensors(folder / "memory_clip_embeddings.safetensors",
                      {{"embeddings", axes({0, 0, 0, 1, 1, 1})}}, {{"text_fingerprint", "clip_text:1"}});
    lexicon = folder
                  .write("lexicon.json", R"({"entities": ["horse", "horses", "boat", "beach", "field"],
                    "attributes": ["brown", "small"], "aliases": {}, "numbers": {}, "copulas": ["is"],
                    "skip_after_copula": [], "dropped_relation_words": ["a", "the"]})")
                  .string();
  }

  /// The section, with more of it; a later one of a key wins.
  Value::Map section(const Value::Map& more = {}) const {
    Value section(Value::Map{{"memory", folder.path().string()},
                             {"captions", int64_t{3}},
                             {"parser", Value::Map{{"lexicon", lexicon}}},
                             {"names", kLexical}});
    for (const auto& [key, value] : more) {
      section.set(key, value);
    }
    return section.as_map();
  }

  TestFolder folder;
  std::string lexicon;
};

DecodeInput input_of(const at::Tensor& features) {
  DecodeInput input;
  input.features = features;
  input.region_features = features;
  input.explain = true;
  return input;
}

DecodeInput input_of_case() {
  return input_of(StateDict::open(kFolder + "expected.safetensors", "").tensor("features"));
}

std::vector<std::string> prompts_of(const std::vector<Caption>& captions) {
  std::vector<std::string> prompts;
  for (const Caption& caption : captions) {
    prompts.push_back(caption.prompt);
  }
  return prompts;
}

/// A text side: names that begin with the same letter lie on one axis, others apart, whatever the sentence.
class LetterBackbone final : public Backbone {
 public:
  mutable std::vector<std::string> asked;
  std::string fingerprint = "letters";
  const ImageSpec& image_spec() const override { return spec_; }
  int64_t dim() const override { return kDim; }
  std::string text_fingerprint() const override { return fingerprint; }
  ImageFeatures encode(const at::Tensor&, std::span<const std::string>) const override { return {}; }
  at::Tensor encode_text(std::span<const std::string> texts) const override {
    at::Tensor rows = at::zeros({static_cast<int64_t>(texts.size()), kDim});
    for (size_t i = 0; i < texts.size(); ++i) {
      asked.push_back(texts[i]);
      const size_t name = texts[i].find("photo of a ");  // of the prompts `single`
      REQUIRE(name != std::string::npos);
      rows[static_cast<int64_t>(i)][(texts[i][name + 11] - 'a') % kDim] = 1;
    }
    return rows;
  }

 private:
  ImageSpec spec_;
};

TEST_CASE("MeaCap: a region's prompt names what its captions agree on, and the evidence says why") {
  const SmallMemory memory;
  const auto decoder = made(options_of(memory.section()));
  const std::vector<Caption> captions = decoder->decode(input_of(axes({1, 0}) * 3));
  REQUIRE(captions.size() == 2);
  CHECK(captions[0].prompt == "There are boat in image.");
  CHECK(captions[1].prompt == "There are brown horse in image.");
  CHECK_FALSE(captions[0].raw_text.empty());

  const std::vector<Evidence>& evidence = captions[1].evidence;
  REQUIRE(evidence.size() == 4);
  CHECK(evidence[0].kind == "memory caption");
  CHECK(evidence[0].text == "A brown horse");
  CHECK(evidence[0].score == doctest::Approx(1));
  CHECK(evidence[0].used);
  CHECK(evidence[2].used);  // its "horses" counts as a horse
  CHECK(evidence[3].kind == "concept");
  CHECK(evidence[3].text == "brown horse");
  CHECK(evidence[3].score == 3);
  CHECK(evidence[3].used);
}

TEST_CASE("MeaCap: evidence and prompt are given only when asked for") {
  const SmallMemory memory;
  const auto decoder = made(options_of(memory.section()));
  DecodeInput input = input_of(axes({0}));
  const std::vector<int64_t> ids = decoder->decode(input).at(0).token_ids;
  input.explain = false;
  const Caption caption = decoder->decode(input).at(0);
  CHECK(caption.prompt.empty());
  CHECK(caption.evidence.empty());
  CHECK(caption.token_ids == ids);
}

TEST_CASE("MeaCap: concepts beyond those of the prompt are shown as not used") {
  const SmallMemory memory;
  const auto decoder =
      made(options_of(memory.section({{"min_count", int64_t{1}}, {"max_concepts", int64_t{1}}})));
  const Caption caption = decoder->decode(input_of(axes({1}))).at(0);
  REQUIRE(caption.evidence.size() == 5);
  CHECK(caption.evidence[3].used);
  CHECK(caption.evidence[4].kind == "concept");
  CHECK(caption.evidence[4].text == "beach");
  CHECK_FALSE(caption.evidence[4].used);
}

TEST_CASE("MeaCap: all regions at once give what each gives alone, by both searches") {
  const TestFolder folder;
  std::string names;
  const auto json = nlohmann::json::parse(std::ifstream(kFolder + "case.json"));
  for (const auto& name : json.at("entity_names")) {
    names += name.get<std::string>() + "\n";
  }
  const StateDict expected = StateDict::open(kFolder + "expected.safetensors", "");
  write_safetensors(folder / "vectors.safetensors", {{"embeddings", expected.tensor("entity_embeddings")}});
  const Value table(Value::Map{{"names", folder.write("names.txt", names).string()},
                               {"embeddings", (folder / "vectors.safetensors").string()}});
  for (const char* search : {"greedy", "beam"}) {
    const auto decoder =
        made(options_of({{"memory", kFolder}, {"names", table}}, {{"search", Value::Map{{"type", search}}}}));
    const DecodeInput all = input_of(expected.tensor("features"));
    const std::vector<Caption> together = decoder->decode(all);
    CHECK(together.at(0).prompt == "There are wooden man, horse, tree in image.");
    for (int64_t row = 0; row < all.features.size(0); ++row) {
      const Caption alone = decoder->decode(input_of(all.features.slice(0, row, row + 1))).at(0);
      CHECK(alone.token_ids == together[static_cast<size_t>(row)].token_ids);
      CHECK(alone.prompt == together[static_cast<size_t>(row)].prompt);
    }
  }
}

TEST_CASE("MeaCap: a feature that is not finite gets an empty caption, and one of zeros has no concepts") {
  const SmallMemory memory;
  const auto decoder = made(options_of(memory.section()));
  at::Tensor features = axes({0, 1, 0});
  features[0][5] = std::numeric_limits<float>::quiet_NaN();
  features[2].zero_();
  const std::vector<Caption> captions = decoder->decode(input_of(features));
  REQUIRE(captions.size() == 3);
  CHECK(captions[0].text.empty());
  CHECK(captions[0].evidence.empty());
  CHECK(captions[1].prompt == "There are boat in image.");
  CHECK(captions[2].prompt == "There are something in image.");
  CHECK(captions[2].evidence.empty());
}

TEST_CASE("MeaCap: captions are those of the feature before the gap unless the one behind is asked for") {
  const SmallMemory memory;
  DecodeInput input = input_of(axes({0}));
  input.region_features = axes({1});
  CHECK(prompts_of(made(options_of(memory.section()))->decode(input)) ==
        std::vector<std::string>{"There are boat in image."});
  CHECK(prompts_of(made(options_of(memory.section(), {{"retrieval_feature", "bridged"}}))->decode(input)) ==
        std::vector<std::string>{"There are brown horse in image."});
}

TEST_CASE("MeaCap: names are merged in the backbone's space, whose texts are encoded once") {
  const SmallMemory memory;
  const std::string vocabulary = memory.folder.write("names.txt", "tree\nlamp\n").string();
  const Value::Map entities{{"names", vocabulary}, {"prompts", "single"}};
  const auto decoder = made(options_of(memory.section({{"names", Value()}}), {{"entities", entities}}));
  const LetterBackbone backbone;
  DecodeInput input = input_of(axes({1, 0}));
  input.backbone = &backbone;
  const std::vector<std::string> prompts = prompts_of(decoder->decode(input));
  // The pairs of the vocabulary have the cosine 0, so that every likeness is above the threshold: boat and
  // beach are one, horse and horses too.
  CHECK(prompts == std::vector<std::string>{"There are boat in image.", "There are brown horse in image."});
  const size_t asked = backbone.asked.size();
  CHECK(asked == 7);  // two of the vocabulary, and boat, beach, horse, horses, field
  CHECK(prompts_of(decoder->decode(input)) == prompts);
  CHECK(backbone.asked.size() == asked);

  input.backbone = nullptr;
  mentions(refusal_of(ErrorKind::config, [&] { (void)decoder->decode(input); }),
           "no backbone with a text side");
}

TEST_CASE(
    "MeaCap: the threshold of the backbone's space is found from the vocabulary, or is the number given") {
  const SmallMemory memory;
  const LetterBackbone backbone;
  DecodeInput input = input_of(axes({0}));
  input.backbone = &backbone;
  const auto prompt = [&](const Value& similarity, const std::string& names) {
    const std::string vocabulary = memory.folder.write("names.txt", names).string();
    const Value::Map entities{{"names", vocabulary}, {"prompts", "single"}};
    const auto decoder = made(options_of(memory.section({{"names", Value()}, {"similarity", similarity}}),
                                         {{"entities", entities}}));
    return decoder->decode(input).at(0).prompt;
  };
  CHECK(prompt("auto", "tree\nlamp\n") == "There are brown horse in image.");
  CHECK(prompt("auto", "tree\ntrain\n") == "There are something in image.");  // all cosines are 1
  CHECK(prompt(0.5, "tree\ntrain\n") == "There are brown horse in image.");
}

TEST_CASE("MeaCap: without a vocabulary the lexicon's names tell the threshold") {
  const SmallMemory memory;
  const auto decoder = made(options_of(memory.section({{"names", Value::Map{{"type", "backbone"}}}}),
                                       {{"entities", Value::Map{{"prompts", "single"}}}}));
  const LetterBackbone backbone;
  DecodeInput input = input_of(axes({0}));
  input.backbone = &backbone;
  // Of the ten pairs two have the cosine 1: mean 0.2, deviation 0.4, threshold 1.64, so that nothing is
  // merged.
  CHECK(decoder->decode(input).at(0).prompt == "There are something in image.");
  CHECK(backbone.asked.size() == 5);
}

TEST_CASE("MeaCap: the memory's own scene graphs and table of names are used when they are there") {
  const SmallMemory memory;
  memory.folder.write("memory_scene_graphs.json",
                      R"json(["( pony )", "( pony )", "( mare )", "( boat )", "( boat )", "( boat )"])json");
  memory.folder.write("entity_names.txt", "mare\npony\n");
  write_safetensors(memory.folder / "entity_embeddings.safetensors",
                    {{"embeddings", at::tensor({1.0f, 0.1f, 1.0f, 0.0f}).view({2, 2})}});
  const DecodeInput input = input_of(axes({0}));
  const auto prompt = [&](const Value::Map& more) {
    return made(options_of(memory.section(more)))->decode(input).at(0).prompt;
  };
  CHECK(prompt({{"parser", Value()}, {"names", Value()}}) == "There are pony in image.");
  CHECK(prompt({{"parser", Value()}, {"names", Value()}, {"similarity", 0.999}}) ==
        "There are something in image.");
  CHECK(prompt({{"names", Value()}, {"parser", Value::Map{{"type", "rule"}, {"lexicon", memory.lexicon}}}}) ==
        "There are something in image.");
}

TEST_CASE(
    "MeaCap: a memory of another text side than the backbone, or where that has none the weights, is warned "
    "of") {
  const SmallMemory memory;  // of clip_text:1
  const std::string weights = (memory.folder / "decoder.pt").string();
  std::filesystem::copy_file(kFolder + "coco_prefix-0014.pt", weights);
  std::vector<std::string> lines;
  const auto before = set_log_sink([&](LogLevel, const std::string& line) { lines.push_back(line); });
  LetterBackbone backbone;
  const auto decode = [&](const std::string& of_weights, const std::string& of_backbone) {
    lines.clear();
    memory.folder.write("decoder_config.json", R"({"text_fingerprint": ")" + of_weights + "\"}");
    const auto decoder = made(options_of(memory.section(), {{"weights", weights}}));
    CHECK(decoder->text_fingerprint() == of_weights);
    DecodeInput input = input_of(axes({0}));
    backbone.fingerprint = of_backbone;
    input.backbone = &backbone;
    (void)decoder->decode(input);
    (void)decoder->decode(input);
  };
  decode("", "clip_text:1");
  CHECK(lines.empty());
  decode("clip_text:1", "");
  CHECK(lines.empty());
  decode("clip_text:2", "clip_text:1");
  CHECK(lines.empty());
  decode("", "clip_text:3");
  REQUIRE(lines.size() == 1);
  mentions(lines[0], memory.folder.path().string() + ": the memory of captions was built with another");
  mentions(lines[0], "than the backbone's");
  mentions(lines[0], "clip_text 1 there, 3 here");
  decode("clip_text:2", "");
  set_log_sink(before);
  REQUIRE(lines.size() == 1);
  mentions(lines[0], "than the weights'");
  mentions(lines[0], "clip_text 1 there, 2 here");
}

TEST_CASE("MeaCap: the files that are given choose how names are compared") {
  const SmallMemory memory;
  const std::string synonyms = memory.folder.write("synonyms.txt", "horses, boat\nhorse, pony\n").string();
  const auto decoder = made(options_of(memory.section({{"names", Value::Map{{"synonyms", synonyms}}}})));
  CHECK(decoder->decode(input_of(axes({0}))).at(0).prompt == "There are brown horse in image.");

  const auto refused = [&](const Value::Map& names) {
    return refusal(ErrorKind::config, memory.section({{"names", names}}));
  };
  mentions(refused({{"type", "backbone"}, {"synonyms", synonyms}}),
           "'synonyms' is read with the type lexical, but the type is backbone");
  mentions(refused({{"type", "lexical"}, {"encoder", synonyms}}),
           "'encoder' is read with the type bert, but the type is lexical");
  mentions(refused({{"encoder", synonyms}, {"embeddings", synonyms}}),
           "'embeddings' is read with the type table, but the type is bert");
  mentions(refused({{"encoder", (memory.folder / "none").string()}, {"type", "table"}}), "type bert");
  mentions(refusal_of(ErrorKind::io,
                      [&] {
                        const Value::Map names{{"encoder", (memory.folder / "none").string()}};
                        (void)made(options_of(memory.section({{"names", names}})));
                      }),
           "none");
}

TEST_CASE("MeaCap: a lexicon beside scene graphs that are read is refused, unless names are compared by it") {
  const SmallMemory memory;
  memory.folder.write("memory_scene_graphs.json",
                      R"json(["( pony )", "( pony )", "( mare )", "( boat )", "( boat )", "( boat )"])json");
  for (const char* type : {"auto", "precomputed"}) {
    const Value::Map parser{{"type", type}, {"lexicon", memory.lexicon}};
    mentions(refusal(ErrorKind::config, memory.section({{"parser", parser}, {"names", Value()}})),
             "'lexicon' is not read with the type precomputed");
    CHECK(made(options_of(memory.section({{"parser", parser}})))->dim() == kDim);
  }
}

TEST_CASE("MeaCap: a vocabulary of one name is refused with its file, unless the similarity is a number") {
  const SmallMemory memory;
  const std::string vocabulary = memory.folder.write("one.txt", "tree\n").string();
  const Value::Map entities{{"names", vocabulary}};
  const Value::Map more{{"entities", entities}};
  mentions(
      refusal(ErrorKind::config, memory.section({{"names", Value()}}), more),
      "one.txt: the threshold of name similarity is found from two or more names, but the vocabulary has 1");
  CHECK(made(options_of(memory.section({{"names", Value()}, {"similarity", 0.5}}), more))->dim() == kDim);

  const std::string vectors = (memory.folder / "zeros.safetensors").string();
  write_safetensors(vectors, {{"embeddings", at::zeros({2, kDim})}});
  const std::string two = memory.folder.write("two.txt", "tree\nlamp\n").string();
  mentions(refusal(ErrorKind::data, memory.section({{"names", Value()}}),
                   {{"entities", Value::Map{{"names", two}, {"embeddings", vectors}}}}),
           "zeros.safetensors: the threshold");
}

TEST_CASE("MeaCap: without hard prompts no memory is needed") {
  const auto decoder = made(options_of({}, {{"layout", "no_hard"}, {"meacap", Value()}}));
  const Caption caption = decoder->decode(input_of_case()).at(0);
  CHECK_FALSE(caption.text.empty());
  CHECK(caption.prompt.empty());
  CHECK(decoder->text_fingerprint().empty());
}

TEST_CASE("MeaCap: what does not go together is refused with names and numbers") {
  const SmallMemory memory;
  const TestFolder folder;
  folder.write("bank.texts.json", "[\"a dog\"]");
  write_safetensors(folder / "bank.safetensors", {{"embeddings", at::ones({1, 7})}});
  const std::string bank = (folder / "bank.safetensors").string();
  const std::string width = refusal(ErrorKind::config, memory.section({{"memory", bank}}));
  mentions(width, bank);
  mentions(width, "7 wide");
  mentions(width, "width 24");

  mentions(refusal(ErrorKind::config, {}), "memory");
  mentions(refusal(ErrorKind::config, memory.section({{"similarity", "high"}})), "similarity");
  mentions(refusal(ErrorKind::config, memory.section({{"similarity", 2.0}})), "similarity");
  mentions(refusal(ErrorKind::config, memory.section({{"names", Value::Map{{"type", "table"}}}})),
           "entity_names.txt");
  mentions(refusal(ErrorKind::config,
                   memory.section({{"names", Value::Map{{"type", "table"}, {"names", memory.lexicon}}}})),
           "only 'names'");
  mentions(refusal(ErrorKind::config, memory.section({{"names", Value::Map{{"type", "bert"}}}})), "encoder");
  mentions(refusal(ErrorKind::config, memory.section({{"parser", Value::Map{{"type", "t5"}}}})), "t5");
  mentions(refusal(ErrorKind::config, memory.section({{"parser", Value::Map{{"type", "precomputed"}}}})),
           "memory_scene_graphs.json");

  memory.folder.write("entity_names.txt", "horse\n");
  mentions(refusal(ErrorKind::io, memory.section({{"names", Value()}})), "entity_embeddings.safetensors");

  const std::string names = folder.write("names.txt", "dog\ncat\n").string();
  const Value::Map entities{{"names", names}, {"embeddings", bank}};
  write_safetensors(folder / "bank.safetensors", {{"embeddings", at::ones({2, 7})}});
  mentions(refusal(ErrorKind::config, memory.section({{"names", Value::Map{{"type", "backbone"}}}}),
                   {{"entities", entities}}),
           "7 wide");
}

TEST_CASE("MeaCap: the section that a model file of the reference is imported to is understood") {
  const SmallMemory memory;
  Value section(memory.section());
  const std::string yaml =
      "plugin: meacap\nweights: coco_prefix-0014.pt\ntokenizer: {merges: merges.txt}\n"
      "heads: {language_model: 4}\nsearch: {type: greedy, beam_width: 5}\n"
      "entities: {temperature: 0.01, top_k: 3, threshold: 0.4}\n"
      "meacap: {memory: ., captions: 5, names: {type: lexical}, parser: {lexicon: " +
      memory.lexicon + "}}\n";
  CHECK(made(parse_yaml(yaml, kFolder + "decoder.yaml"))->dim() == kDim);
}

}  // namespace
}  // namespace patchioner
