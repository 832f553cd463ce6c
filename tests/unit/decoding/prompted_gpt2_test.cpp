// Prompts and perplexities over the small model of the golden case decoders/viecap.
#include "decoding/prompted_gpt2.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/unit_length.hpp"
#include "refusals.hpp"

namespace patchioner {
namespace {

const std::string kFolder = std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/decoders/viecap/";

const PromptedGpt2& small_model() {
  static const PromptedGpt2 model = [] {
    PromptedGpt2Files files;
    files.weights = kFolder + "coco_prefix-0014.pt";
    files.merges = kFolder + "merges.txt";
    files.language_model_heads = 4;
    return PromptedGpt2(files, PluginContext());
  }();
  return model;
}

const std::vector<std::string> kHardPrompts = {"There are cat in image.", "There are cat, boat in image."};

at::Tensor two_features() {
  return unit_rows(at::arange(48, at::kFloat).view({2, 24}) - 20);
}

at::Tensor words(const std::string& text) {
  return small_model().model().embed(at::tensor(small_model().tokenizer().encode(text), at::kLong));
}

TEST_CASE("prompts stand in the order of the layout, shorter ones padded in front") {
  const PromptedGpt2& model = small_model();
  const at::Tensor soft = model.soft_prompt().forward(two_features());
  const std::vector<at::Tensor> hard = {words(kHardPrompts[0]), words(kHardPrompts[1])};
  const int64_t missing = hard[1].size(0) - hard[0].size(0);
  REQUIRE(missing > 0);
  const auto row = [&](PromptLayout layout, int64_t which) {
    const PromptBatch batch = model.prompts(two_features(), kHardPrompts, layout);
    const int64_t padding = batch.padding[which].item<int64_t>();
    CHECK(padding == (which == 0 ? missing : 0));
    return batch.embeddings[which].slice(0, padding);
  };
  for (int64_t which = 0; which < 2; ++which) {
    const at::Tensor own = hard[static_cast<size_t>(which)];
    CHECK(at::allclose(row(PromptLayout::soft_first, which), at::cat({soft[which], own})));
    CHECK(at::allclose(row(PromptLayout::hard_first, which), at::cat({own, soft[which]})));
    CHECK(at::allclose(row(PromptLayout::only_hard, which), own));
  }
  const PromptBatch without = model.prompts(two_features(), {}, PromptLayout::no_hard);
  CHECK(at::allclose(without.embeddings, soft));
  CHECK_FALSE(without.padding.defined());
}

TEST_CASE("the reference's padding are tokens behind the hard prompt") {
  const PromptedGpt2& model = small_model();
  const at::Tensor soft = model.soft_prompt().forward(two_features());
  const PromptBatch batch =
      model.prompts(two_features(), kHardPrompts, PromptLayout::soft_first, PromptPadding::reference);
  CHECK_FALSE(batch.padding.defined());
  const at::Tensor filler = model.model().embed(at::zeros({2}, at::kLong));
  const at::Tensor own = words(kHardPrompts[0]);
  REQUIRE(words(kHardPrompts[1]).size(0) == own.size(0) + 2);
  CHECK(at::allclose(batch.embeddings[0], at::cat({soft[0], own, filler})));
}

TEST_CASE(
    "texts of less than two tokens have no finite perplexity, and longer ones beside them are as alone") {
  const PromptedGpt2& model = small_model();
  std::vector<std::string> texts = {"", ".", "A cat on a bench."};
  for (int i = 0; i < 20; ++i) {
    texts.push_back("A dog" + std::string(static_cast<size_t>(i), '.'));
  }
  const std::vector<double> together = model.perplexities(texts);
  CHECK(std::isinf(together[0]));
  CHECK(std::isinf(together[1]));
  for (size_t i = 2; i < texts.size(); ++i) {
    const double alone = model.perplexities(std::span(texts).subspan(i, 1))[0];
    CHECK(together[i] == doctest::Approx(alone).epsilon(1e-4));
    CHECK(std::isfinite(alone));
  }
}

TEST_CASE("layouts are known by their names") {
  CHECK((prompt_layout("hard_first") == PromptLayout::hard_first));
  mentions(refusal_of(ErrorKind::config, [] { (void)prompt_layout("soft"); }), "soft_first");
}

TEST_CASE("a text to stop behind must have a token") {
  const PromptedGpt2& model = small_model();
  TextSearchOptions options;
  options.stop = {"."};
  options.max_length = 5;
  const PromptBatch prompts = model.prompts(two_features(), {}, PromptLayout::no_hard);
  CHECK(model.search(prompts, options).size() == 2);
  options.stop = {""};
  refusal_of(ErrorKind::config, [&] { (void)model.search(prompts, options); });
}

}  // namespace
}  // namespace patchioner
