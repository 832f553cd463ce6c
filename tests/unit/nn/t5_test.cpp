// T5: its buckets by number, and that padding, batches and the cache change nothing.
#include "nn/t5.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include <map>

#include "refusals.hpp"

namespace patchioner {
namespace {

T5 small_t5() {
  T5Config config;
  config.width = 8;
  config.heads = 2;
  config.head_width = 3;  // 2 * 3 is not the width
  config.hidden = 10;
  config.encoder_layers = 2;
  config.decoder_layers = 3;
  config.vocabulary = 17;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(5);
  return T5(config, [&](const std::string&, const std::vector<int64_t>& shape) {
    return at::randn(shape, generator, at::TensorOptions(at::kFloat));
  });
}

at::Tensor ids_of(std::vector<int64_t> ids) {
  return at::tensor(ids, at::kLong).unsqueeze(0);
}

TEST_CASE("distances have the buckets of the published tables") {
  const at::Tensor both = at::tensor({0, -1, 1, -7, -8, -16, -127, -500, 8, 500}, at::kLong);
  CHECK(at::equal(t5_buckets(both, 32, 128, true),
                  at::tensor({0, 1, 17, 7, 8, 10, 15, 15, 24, 31}, at::kLong)));
  const at::Tensor before = at::tensor({0, 5, -1, -15, -16, -32, -127, -500}, at::kLong);
  CHECK(at::equal(t5_buckets(before, 32, 128, false), at::tensor({0, 0, 1, 15, 16, 21, 31, 31}, at::kLong)));
}

TEST_CASE("a padded row gives what it gives alone, whatever stands in the padding") {
  const T5 model = small_t5();
  const at::Tensor alone = model.encode(ids_of({4, 9, 1}), at::tensor({3}, at::kLong));
  const at::Tensor ids = at::cat({ids_of({4, 9, 1, 12, 13}), ids_of({3, 3, 5, 8, 1})});
  const at::Tensor lengths = at::tensor({3, 5}, at::kLong);
  const at::Tensor together = model.encode(ids, lengths);
  CHECK((together[0].slice(0, 0, 3) - alone[0]).abs().max().item<double>() < 1e-5);
  CHECK(together[0].slice(0, 3).abs().max().item<double>() == 0.0);
  const at::Tensor text = ids_of({0, 6, 2});
  const at::Tensor expected = model.logits(alone, at::tensor({3}, at::kLong), text);
  CHECK((model.logits(together, lengths, text.expand({2, 3}))[0] - expected[0]).abs().max().item<double>() <
        1e-4);
}

TEST_CASE("the greedy text is the one whose every id has the largest logit") {
  const T5 model = small_t5();
  const at::Tensor lengths = at::tensor({4, 2}, at::kLong);
  const at::Tensor encoded = model.encode(at::cat({ids_of({4, 9, 7, 1}), ids_of({3, 1, 0, 0})}), lengths);
  const at::Tensor ids = model.generate(encoded, lengths, 12);
  REQUIRE(ids.size(1) > 2);
  CHECK(ids.size(1) <= 12);
  const at::Tensor best = model.logits(encoded, lengths, ids).argmax(2);
  for (int64_t row = 0; row < 2; ++row) {
    CHECK(ids[row][0].item<int64_t>() == 0);
    bool ended = false;
    for (int64_t place = 1; place < ids.size(1); ++place) {
      const auto id = ids[row][place].item<int64_t>();
      CHECK(id == (ended ? 0 : best[row][place - 1].item<int64_t>()));
      ended = ended || id == 1;
    }
  }
}

TEST_CASE("an id outside the vocabulary is refused") {
  const T5 model = small_t5();
  mentions(refusal_of(ErrorKind::data, [&] { (void)model.encode(ids_of({17}), at::tensor({1}, at::kLong)); }),
           "token ids from 17 to 17 lie outside the model's vocabulary of 17 ids");
}

}  // namespace
}  // namespace patchioner
