// Batches put together by hand, and the loss over the small model of the golden case decoders/viecap_train,
// which holds whole batches, losses and gradients against the reference.
#include "decoding/prompted_training.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include "checkpoint/state_dict.hpp"
#include "decoding/prompted_start.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

const std::string kFolder = std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/decoders/viecap_train/";

at::Tensor rows(const std::vector<std::vector<int64_t>>& values) {
  std::vector<at::Tensor> tensors;
  for (const std::vector<int64_t>& row : values) {
    tensors.push_back(at::tensor(row, at::kLong));
  }
  return at::stack(tensors);
}

const std::vector<std::vector<int64_t>> kPrompts = {{5, 6}, {7, 8, 9}};

at::Tensor two_captions() {
  return rows({{1, 2, kNoToken}, {3, 0, 4}});
}

TEST_CASE("a caption's ids stand behind its prompts, and each position predicts the next one") {
  const PromptedBatch batch = assemble_prompted_batch(two_captions(), kPrompts, PromptLayout::soft_first,
                                                      /*prompt_length=*/2, /*room=*/4);
  CHECK(at::equal(batch.tokens, rows({{5, 6, 1, 2, 0, 0, 0}, {7, 8, 9, 3, 0, 4, 0}})));
  CHECK(at::equal(batch.labels, rows({{0, 0, 0, 1, 2, 0, 0, 0, 0}, {0, 0, 0, 0, 3, 0, 4, 0, 0}})));
  CHECK(
      at::equal(batch.mask.to(at::kLong), rows({{1, 1, 1, 1, 1, 1, 0, 0, 0}, {1, 1, 1, 1, 1, 1, 1, 1, 0}})));
  CHECK(batch.hard_lengths == std::vector<int64_t>{2, 3});
}

TEST_CASE("a hard prompt without room takes it from the caption's end") {
  const PromptedBatch batch = assemble_prompted_batch(two_captions(), kPrompts, PromptLayout::only_hard,
                                                      /*prompt_length=*/2, /*room=*/1);
  CHECK(at::equal(batch.tokens, rows({{5, 6, 1, 2}, {7, 8, 9, 3}})));
  CHECK(at::equal(batch.labels, rows({{0, 1, 2, 0}, {0, 0, 3, 0}})));
}

TEST_CASE("without hard prompts the soft prompt is followed by the caption") {
  const PromptedBatch batch =
      assemble_prompted_batch(two_captions(), {}, PromptLayout::no_hard, /*prompt_length=*/1, /*room=*/9);
  CHECK(at::equal(batch.tokens, rows({{1, 2, 0}, {3, 0, 4}})));
  CHECK(at::equal(batch.labels, rows({{1, 2, 0, 0}, {3, 0, 4, 0}})));
  CHECK(batch.hard_lengths.empty());
}

TEST_CASE("captions are cut where a length would be far from all others") {
  const auto tokenizer = Gpt2Tokenizer::open(kFolder + "merges.txt");
  // 200 captions of one id and one of 40: mean 1.194, deviation 2.751, so 28 ids are kept.
  std::vector<std::string> captions(200, "!");
  captions.emplace_back(40, '!');
  REQUIRE(tokenizer->encode(captions.back()).size() == 40);
  const at::Tensor ids = caption_ids(*tokenizer, captions);
  CHECK(ids.size(1) == 28);
  CHECK(ids[0][0].item<int64_t>() == 0);
  CHECK(ids[0][1].item<int64_t>() == kNoToken);
  CHECK(caption_ids(*tokenizer, std::vector<std::string>{"!!!"}).size(1) == 3);
}

PromptedWeights small_weights() {
  return load_prompted_weights(kFolder + "coco_prefix-0014.pt", PromptedKind::viecap, 8, 4);
}

TEST_CASE("in each layout the embeddings stand in its order") {
  const PromptedWeights weights = small_weights();
  const at::Tensor features = at::ones({2, 24}) / 5;
  const at::Tensor soft = weights.soft_prompt.network().forward(features);  // [2,4,32]
  const auto words = [&](const std::vector<int64_t>& ids) {
    return at::embedding(weights.language_model.token_embedding, at::tensor(ids, at::kLong));
  };
  const auto batch_of = [&](PromptLayout layout) {
    return prompted_embeddings(weights, features,
                               assemble_prompted_batch(two_captions(), kPrompts, layout, 4, 4), layout);
  };
  CHECK(
      at::allclose(batch_of(PromptLayout::soft_first)[0], at::cat({soft[0], words({5, 6, 1, 2, 0, 0, 0})})));
  CHECK(at::allclose(batch_of(PromptLayout::hard_first)[0],
                     at::cat({words({5, 6}), soft[0], words({1, 2, 0, 0, 0})})));
  CHECK(at::allclose(batch_of(PromptLayout::hard_first)[1],
                     at::cat({words({7, 8, 9}), soft[1], words({3, 0, 4, 0})})));
  CHECK(at::allclose(batch_of(PromptLayout::only_hard)[1], words({7, 8, 9, 3, 0, 4, 0})));
}

TEST_CASE("neither padding behind the longest row nor the end of text changes a loss") {
  const PromptedWeights weights = small_weights();
  const at::Tensor features = at::ones({2, 24}) / 5;
  const auto loss = [&](const at::Tensor& ids, int64_t room, int64_t end_id) {
    const PromptedBatch batch = assemble_prompted_batch(ids, kPrompts, PromptLayout::hard_first, 4, room);
    return prompted_loss(weights, features, batch, PromptLayout::hard_first, end_id, false)
        .value.item<double>();
  };
  const double expected = loss(two_captions(), 4, 599);
  CHECK(loss(two_captions(), 40, 599) == doctest::Approx(expected).epsilon(1e-6));
  // Label 4 is the last one of its row; as the end of text it counts no more than as padding.
  CHECK(loss(two_captions(), 4, 4) ==
        doctest::Approx(loss(rows({{1, 2, kNoToken}, {3, 0, kNoToken}}), 4, 599)).epsilon(1e-6));
  CHECK(loss(two_captions(), 4, 4) != doctest::Approx(expected).epsilon(1e-6));
}

TEST_CASE("a GPT-2 is read in all three spellings") {
  const TestFolder folder;
  const PromptedWeights weights = small_weights();
  for (const std::string level : {"gpt.transformer.", "transformer.", ""}) {
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    for (const auto& [name, tensor] : weights.language_model.named()) {
      tensors.emplace_back(level + name.substr(std::string("transformer.").size()), tensor);
    }
    CAPTURE(level);
    const std::filesystem::path file = folder / "gpt2.safetensors";
    write_safetensors(file, tensors);
    const Gpt2Weights read = load_language_model(file, 4);
    CHECK(read.config.n_layer == 2);
    CHECK(read.config.n_positions == 128);
    CHECK(at::equal(read.token_embedding, weights.language_model.token_embedding));
    CHECK(at::equal(read.layers[1].mlp_proj_weight, weights.language_model.layers[1].mlp_proj_weight));
    std::filesystem::remove(file);
  }
}

TEST_CASE("fresh weights are PyTorch's, by the seed") {
  FreshSection sizes;
  sizes.dim = 50;
  sizes.width = 32;
  sizes.layers = 1;
  sizes.positions = 40;
  sizes.mapping_layers = 1;
  sizes.prompt_length = 200;
  const auto fresh = [&](uint64_t seed) {
    at::manual_seed(seed);
    return start_prompted_weights(PromptedKind::viecap, sizes, "", 4, 4, 300);
  };
  const PromptedWeights first = fresh(1);
  const PromptedWeights again = fresh(1);
  const PromptedWeights other = fresh(2);
  for (size_t i = 0; i < first.soft_prompt.named.size(); ++i) {
    const auto& [name, tensor] = first.soft_prompt.named[i];
    CAPTURE(name);
    CHECK(at::equal(tensor, again.soft_prompt.named[i].second));
    if (name.find("norm") != std::string::npos) {
      CHECK(at::equal(tensor, at::full_like(tensor, name.ends_with("weight") ? 1 : 0)));
      continue;
    }
    if (name == "linear.weight") {
      CHECK(tensor.sizes() == at::IntArrayRef({320, 50}));
    }
    CHECK_FALSE(at::equal(tensor, other.soft_prompt.named[i].second));
    const double bound = name == "prefix_const"                  ? 5
                         : name.starts_with("linear.")           ? 1 / std::sqrt(50.0)
                         : name.find("fc2") != std::string::npos ? 1 / std::sqrt(64.0)
                                                                 : 1 / std::sqrt(32.0);
    const double largest = tensor.abs().max().item<double>();
    CHECK(largest <= bound);
    CHECK(largest > bound / 2);
  }
  CHECK(first.language_model.config.vocab_size == 300);
}

TEST_CASE("sizes that do not go together are refused") {
  FreshSection sizes;
  sizes.dim = 8;
  sizes.width = 10;
  sizes.layers = 1;
  const auto refusal = [&](PromptedKind kind, const std::string& model, int64_t heads) {
    return refusal_of(ErrorKind::config,
                      [&] { (void)start_prompted_weights(kind, sizes, model, heads, 2, 300); });
  };
  mentions(refusal(PromptedKind::viecap, "", 4), "4 heads do not divide the mapping network's width 10");
  mentions(refusal(PromptedKind::viecap, "gpt2.pt", 2), "are told by gpt2.pt");
  sizes.network = "mlp";
  mentions(refusal(PromptedKind::viecap, "", 2), "the decoder clipcap has the other");
}

}  // namespace
}  // namespace patchioner
