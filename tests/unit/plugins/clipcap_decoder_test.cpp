// The decoder `clipcap` through the host, over the small models of the golden case decoders/capdec, which
// holds their numbers against the reference.
#include <doctest/doctest.h>

#include <limits>
#include <patchioner/error.hpp>

#include "checkpoint/state_dict.hpp"
#include "refusals.hpp"
#include "runtime/plugin_host.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

const std::string kFolder = std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/decoders/capdec/";

std::shared_ptr<Decoder> clipcap(const std::string& weights, const Value::Map& more = {}) {
  Value options(Value::Map{{"plugin", "clipcap"},
                           {"weights", weights},
                           {"tokenizer", Value::Map{{"merges", kFolder + "merges.txt"}}},
                           {"heads", Value::Map{{"language_model", int64_t{4}}}}});
  for (const auto& [key, value] : more) {
    options.set(key, value);
  }
  PluginHost host;
  return host.decoder(options, PluginContext());
}

at::Tensor features_of_case() {
  return StateDict::open(kFolder + "expected.safetensors", "").tensor("features");
}

DecodeInput input_of(const at::Tensor& features) {
  DecodeInput input;
  input.features = features;
  input.region_features = features;
  return input;
}

TEST_CASE("ClipCap: both kinds of networks are told by their names") {
  for (const char* weights : {"capdec_mlp.pt", "capdec_transformer.pt"}) {
    const auto decoder = clipcap(kFolder + weights);
    CHECK(decoder->dim() == 24);
    for (const Caption& caption : decoder->decode(input_of(features_of_case()))) {
      CHECK(caption.raw_text.ends_with("."));
      CHECK(caption.score < 0);
    }
  }
}

TEST_CASE("ClipCap: features are brought to unit length unless they are to be read as they are") {
  const at::Tensor features = features_of_case();
  const at::Tensor longer = features * 30;
  const auto decoder = clipcap(kFolder + "capdec_mlp.pt");
  const auto as_it_is = clipcap(kFolder + "capdec_mlp.pt", {{"normalize_prefix", false}});
  const auto first = decoder->decode(input_of(features));
  const auto second = decoder->decode(input_of(longer));
  const auto third = as_it_is->decode(input_of(longer));
  size_t differing = 0;
  for (size_t row = 0; row < first.size(); ++row) {
    CHECK(first[row].token_ids == second[row].token_ids);
    differing += first[row].token_ids != third[row].token_ids ? 1 : 0;
  }
  CHECK(differing > 0);
}

TEST_CASE("ClipCap: a feature that is not finite gets an empty caption") {
  const auto decoder = clipcap(kFolder + "capdec_mlp.pt");
  at::Tensor features = features_of_case().clone();
  const auto before = decoder->decode(input_of(features));
  features[0][0] = std::numeric_limits<float>::infinity();
  const auto captions = decoder->decode(input_of(features));
  CHECK(captions[0].token_ids.empty());
  CHECK(captions[1].token_ids == before[1].token_ids);
}

TEST_CASE("ClipCap: another decoder's weights and another GPT-2's are refused by name") {
  mentions(
      refusal_of(ErrorKind::checkpoint, [&] { (void)clipcap(kFolder + "../viecap/coco_prefix-0014.pt"); }),
      "the decoder viecap reads it");
  // A projection whose outputs are no whole number of the language model's embeddings.
  const StateDict saved = StateDict::open(kFolder + "capdec_mlp.pt");
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const std::string& name : saved.names()) {
    tensors.emplace_back(name,
                         name == "clip_project.model.2.weight" ? at::ones({161, 80}) : saved.tensor(name));
  }
  const TestFolder folder;
  write_safetensors(folder / "odd.safetensors", tensors);
  const std::string message =
      refusal_of(ErrorKind::checkpoint, [&] { (void)clipcap((folder / "odd.safetensors").string()); });
  mentions(message, "clip_project.model.2.weight");
  mentions(message, "32");
}

}  // namespace
}  // namespace patchioner
