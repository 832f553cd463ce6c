// What ships is small and stays what it is.
#include "shipping.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "checkpoint/state_dict.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;
using namespace patchioner::emoji;

TEST_CASE("matrices are rounded to the nearest number of few significant bits, vectors are left alone") {
  constexpr double kLargestError = 1.0 / (1 << kShippedBits);  // half of the last bit, relative
  const at::Tensor matrix = at::randn({40, 30});
  const at::Tensor vector = at::randn({30});
  const NamedTensors ships = rounded({{"matrix", matrix}, {"vector", vector}}, Rounding::significant_bits);
  const at::Tensor halves = ships[0].second;
  CHECK((halves.scalar_type() == at::kHalf));
  const at::Tensor error = (halves.to(at::kFloat) - matrix).abs() / matrix.abs();
  CHECK(error.max().item<double>() <= kLargestError * 1.01);
  CHECK(error.max().item<double>() > kLargestError / 4);
  CHECK(at::equal(ships[1].second, vector));
  CHECK(at::equal(rounded(ships, Rounding::significant_bits)[0].second, halves));
}

TEST_CASE("or to multiples of a step that follows from the matrix") {
  // Of root mean square 0.5: the step is 1/32, and half of it the largest error.
  const at::Tensor matrix =
      at::tensor({0.5f, -0.5f, 0.5f, -0.5f, 0.51f, -0.49f, 0.484376f, -0.515626f}).reshape({2, 4});
  const at::Tensor halves = rounded({{"matrix", matrix}}, Rounding::steps)[0].second;
  CHECK((halves.scalar_type() == at::kHalf));
  CHECK(at::equal(halves.to(at::kFloat).flatten(),
                  at::tensor({0.5f, -0.5f, 0.5f, -0.5f, 0.5f, -0.5f, 0.5f, -0.53125f})));
  const at::Tensor zeros = at::zeros({2, 3});
  CHECK(at::equal(rounded({{"zeros", zeros}}, Rounding::steps)[0].second, zeros.to(at::kHalf)));
}

TEST_CASE("what was rounded to a step stays, also when the next power of two is another by now") {
  for (int64_t i = 0; i < 200; ++i) {
    // Sizes close to where the step changes, at 2^0.5 of a power of two.
    const at::Tensor matrix = at::randn({16, 16}) * std::exp2(0.5 + 0.001 * static_cast<double>(i - 100));
    const NamedTensors once = rounded({{"matrix", matrix}}, Rounding::steps);
    CHECK(at::equal(rounded(once, Rounding::steps)[0].second, once[0].second));
  }
}

TEST_CASE("a state dict that shipped is rewritten to the same bytes") {
  for (const Rounding rounding : {Rounding::steps, Rounding::significant_bits}) {
    const TestFolder folder;
    ship(folder / "model.pth", {{"matrix", at::randn({64, 64})}, {"vector", at::randn({64})}}, rounding);
    const std::string bytes = read_file(folder / "model.pth");
    CHECK(bytes.size() < 64 * 64 * 2);
    ship_again(folder / "model.pth", rounding);
    CHECK(read_file(folder / "model.pth") == bytes);
  }
}

TEST_CASE("a bank that ships keeps what it says about itself") {
  const TestFolder folder;
  const at::Tensor rows = at::randn({5, 8});
  write_safetensors(folder / "bank.safetensors", {{"embeddings", rows}},
                    {{"text_fingerprint", "of a tower"}});
  ship_bank(folder / "bank.safetensors");
  const StateDict bank = StateDict::open(folder / "bank.safetensors");
  CHECK(at::equal(bank.tensor("embeddings"), rows.to(at::kHalf)));
  CHECK(bank.metadata().at("text_fingerprint") == "of a tower");
}
