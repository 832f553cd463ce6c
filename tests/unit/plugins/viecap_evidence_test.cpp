// What the decoder `viecap` says of the entities that it looked up.
#include <doctest/doctest.h>

#include "checkpoint/state_dict.hpp"
#include "runtime/plugin_host.hpp"

namespace patchioner {
namespace {

const std::string kFolder = std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/decoders/viecap/";

std::vector<Caption> captions_of(double threshold, bool explain, const char* layout = "soft_first") {
  const Value options(
      Value::Map{{"plugin", "viecap"},
                 {"weights", kFolder + "coco_prefix-0014.pt"},
                 {"tokenizer", Value::Map{{"merges", kFolder + "merges.txt"}}},
                 {"heads", Value::Map{{"mapping", int64_t{8}}, {"language_model", int64_t{4}}}},
                 {"layout", layout},
                 {"entities", Value::Map{{"names", kFolder + "coco_categories.json"},
                                         {"embeddings", kFolder + "entity_embeddings.safetensors"},
                                         {"temperature", 0.2},
                                         {"threshold", threshold}}}});
  DecodeInput input;
  input.features = StateDict::open(kFolder + "expected.safetensors", "").tensor("features");
  input.region_features = input.features;
  input.explain = explain;
  PluginHost host;
  return host.decoder(options, PluginContext())->decode(input);
}

TEST_CASE("ViECap: the evidence is the nearest entities, those above the threshold being in the prompt") {
  // A threshold between the first probability of a row and the second.
  const Caption all = captions_of(0, true).at(1);
  REQUIRE(all.evidence.size() == 3);
  CHECK(all.evidence[0].score > all.evidence[1].score);
  CHECK(all.evidence[1].score > all.evidence[2].score);
  std::string names;
  for (const Evidence& entity : all.evidence) {
    CHECK(entity.kind == "entity");
    CHECK(entity.used);
    names += (names.empty() ? "" : ", ") + entity.text;
  }
  CHECK(all.prompt == "There are " + names + " in image.");

  const Caption one = captions_of((all.evidence[0].score + all.evidence[1].score) / 2, true).at(1);
  REQUIRE(one.evidence.size() == 3);
  CHECK(one.evidence[0].used);
  CHECK_FALSE(one.evidence[1].used);
  CHECK(one.evidence[1].text == all.evidence[1].text);
  CHECK(one.prompt == "There are " + all.evidence[0].text + " in image.");
}

TEST_CASE(
    "ViECap: without being asked it explains nothing, and without a hard prompt there is none to show") {
  for (const Caption& caption : captions_of(0.4, false)) {
    CHECK(caption.prompt.empty());
    CHECK(caption.evidence.empty());
  }
  for (const Caption& caption : captions_of(0.4, true, "no_hard")) {
    CHECK(caption.prompt.empty());
    CHECK(caption.evidence.empty());
    CHECK_FALSE(caption.tokens.empty());
  }
}

}  // namespace
}  // namespace patchioner
