// What ships is small and stays what it is.
#include "shipping.hpp"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "checkpoint/state_dict.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;
using namespace patchioner::emoji;

TEST_CASE("matrices are rounded to the nearest number of few significant bits, vectors are left alone") {
  constexpr double kLargestError = 1.0 / (1 << kShippedBits);  // half of the last bit, relative
  const at::Tensor matrix = at::randn({40, 30});
  const at::Tensor vector = at::randn({30});
  const NamedTensors ships = rounded({{"matrix", matrix}, {"vector", vector}});
  const at::Tensor halves = ships[0].second;
  CHECK((halves.scalar_type() == at::kHalf));
  const at::Tensor error = (halves.to(at::kFloat) - matrix).abs() / matrix.abs();
  CHECK(error.max().item<double>() <= kLargestError * 1.01);
  CHECK(error.max().item<double>() > kLargestError / 4);
  CHECK(at::equal(ships[1].second, vector));
  CHECK(at::equal(rounded(ships)[0].second, halves));
}

TEST_CASE("a state dict that shipped is rewritten to the same bytes") {
  const TestFolder folder;
  ship(folder / "model.pth", {{"matrix", at::randn({64, 64})}, {"vector", at::randn({64})}});
  const std::string bytes = read_file(folder / "model.pth");
  CHECK(bytes.size() < 64 * 64 * 2);
  ship_again(folder / "model.pth");
  CHECK(read_file(folder / "model.pth") == bytes);
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
