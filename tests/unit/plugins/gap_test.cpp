// The gap plugins `memory` and `noise` through the host, as a config asks for them (spec/01 sections 5.1
// and 5.3).
#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <patchioner/error.hpp>

#include "checkpoint/state_dict.hpp"
#include "config/config.hpp"
#include "memory/memory_bank.hpp"
#include "refusals.hpp"
#include "runtime/plugin_host.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

const std::string kBank =
    std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/pipeline/memory_projection/bank.safetensors";

std::shared_ptr<Gap> gap(const std::string& yaml) {
  PluginHost host;
  return host.gap(parse_yaml(yaml, "test.yaml"), PluginContext());
}

std::string refusal(ErrorKind kind, const std::string& yaml) {
  return refusal_of(kind, [&] { (void)gap(yaml); });
}

/// Gives numbers that were written down.
class GivenNumbers final : public RandomSource {
 public:
  explicit GivenNumbers(at::Tensor numbers) : numbers_(std::move(numbers)) {}
  at::Tensor normal(at::IntArrayRef shape) override { return numbers_.reshape(shape); }
  at::Tensor uniform(at::IntArrayRef) override { throw Error(ErrorKind::internal, "not asked for"); }

 private:
  at::Tensor numbers_;
};

TEST_CASE("noise is added to the unit vector, which is brought to unit length again") {
  // (3,4) -> (0.6,0.8); plus 0.5 * (2,-1) -> (1.6,0.3), of length sqrt(2.65).
  GivenNumbers numbers(at::tensor({2.0F, -1.0F}));
  const at::Tensor feature = at::tensor({3.0F, 4.0F}).reshape({1, 2});
  const at::Tensor length = at::tensor(2.65).sqrt();
  const at::Tensor expected = (at::tensor({1.6, 0.3}) / length).to(at::kFloat).reshape({1, 2});
  CHECK(at::allclose(gap("{plugin: noise, std: 0.5}")->perturb(feature, numbers), expected));
  CHECK(at::allclose(gap("{plugin: noise, variance: 0.25}")->perturb(feature, numbers), expected));
  CHECK(at::equal(feature, at::tensor({3.0F, 4.0F}).reshape({1, 2})));
}

TEST_CASE("the usual noise has a standard deviation of 0.08") {
  GivenNumbers numbers(at::tensor({1.0F, 0.0F}));
  const at::Tensor result =
      gap("{plugin: noise}")->perturb(at::tensor({0.0F, 5.0F}).reshape({1, 2}), numbers);
  CHECK((result[0][0] / result[0][1]).item<double>() == doctest::Approx(0.08));
}

TEST_CASE("std and variance together, or below zero, are refused") {
  CHECK(contains(refusal(ErrorKind::config, "{plugin: noise, std: 0.08, variance: 0.0064}"), "not both"));
  CHECK(contains(refusal(ErrorKind::config, "{plugin: noise, std: -0.1}"), "test.yaml:1"));
  CHECK(contains(refusal(ErrorKind::config, "{plugin: noise, varience: 0.1}"), "did you mean 'variance'"));
}

TEST_CASE("at inference noise divides by the length, unless told not to") {
  const at::Tensor features = at::tensor({3.0F, 4.0F, 0.0F, 0.0F}).reshape({2, 2});
  CHECK(at::allclose(gap("{plugin: noise}")->to_text_space(features),
                     at::tensor({0.6F, 0.8F, 0.0F, 0.0F}).reshape({2, 2})));
  CHECK(at::equal(gap("{plugin: noise, normalize_input: false}")->to_text_space(features), features));
  CHECK(gap("{plugin: noise}")->nearest(features, 3).empty());
  CHECK(gap("{plugin: noise}")->dim() == 0);
}

TEST_CASE("an offset is added in training, or at inference without a new length") {
  const TestFolder folder;
  const std::string file = (folder / "offset.safetensors").string();
  write_safetensors(file, {{"centre", at::tensor({1.0F, -2.0F}).reshape({1, 2})}});
  const at::Tensor feature = at::tensor({3.0F, 4.0F}).reshape({1, 2});
  GivenNumbers none(at::zeros({1, 2}));
  const auto training = gap("{plugin: noise, offset: " + file + "}");
  CHECK(training->dim() == 2);
  // (0.6,0.8) + (1,-2) = (1.6,-1.2), of length 2.
  CHECK(at::allclose(training->perturb(feature, none), at::tensor({0.8F, -0.6F}).reshape({1, 2})));
  CHECK(at::allclose(training->to_text_space(feature), at::tensor({0.6F, 0.8F}).reshape({1, 2})));
  const auto inference = gap("{plugin: noise, offset_in: inference, offset: " + file + "}");
  CHECK(at::allclose(inference->to_text_space(feature), at::tensor({1.6F, -1.2F}).reshape({1, 2})));
  CHECK(at::allclose(inference->perturb(feature, none), at::tensor({0.6F, 0.8F}).reshape({1, 2})));

  // CapDec's exported centres have one of each kind.
  write_safetensors(file, {{"offset_to_add_in_training", at::tensor({1.0F, -2.0F})},
                           {"offset_to_add_in_inference", at::tensor({-1.0F, 2.0F})}});
  CHECK(at::allclose(gap("{plugin: noise, offset: " + file + "}")->perturb(feature, none),
                     at::tensor({0.8F, -0.6F}).reshape({1, 2})));
  CHECK(
      at::allclose(gap("{plugin: noise, offset_in: inference, offset: " + file + "}")->to_text_space(feature),
                   at::tensor({-0.4F, 2.8F}).reshape({1, 2})));
}

TEST_CASE("a linear map of texts must be square and have its two tensors") {
  const TestFolder folder;
  const std::string file = (folder / "linear.safetensors").string();
  write_safetensors(file, {{"linear_coef", at::ones({2, 3})}, {"linear_bias", at::ones({2})}});
  CHECK(contains(refusal(ErrorKind::data, "{plugin: noise, linear: " + file + "}"), "must be [D,D]"));
  write_safetensors(file, {{"linear_coef", at::eye(2)}});
  CHECK(contains(refusal(ErrorKind::checkpoint, "{plugin: noise, linear: " + file + "}"), "linear_bias"));
}

TEST_CASE("three times a draw of a covariance is added beside the noise") {
  // [[4,2],[2,5]] is L L^T with L = [[2,0],[1,2]]. By hand, for the draws (1,-1): (1,0) + 3 (2,-1) + 0.5
  // (1,-1).
  const TestFolder folder;
  const std::string file = (folder / "covariance.safetensors").string();
  write_safetensors(file, {{"covariance", at::tensor({4.0F, 2.0F, 2.0F, 5.0F}).reshape({2, 2})}});
  const std::string options = "{plugin: noise, std: 0.5, normalize_result: false, covariance: " + file;
  GivenNumbers numbers(at::tensor({1.0F, -1.0F}));
  const at::Tensor feature = at::tensor({3.0F, 0.0F}).reshape({1, 2});
  CHECK(
      at::allclose(gap(options + "}")->perturb(feature, numbers), at::tensor({7.5F, -3.5F}).reshape({1, 2})));
  CHECK(gap(options + "}")->dim() == 2);

  GeneratorSource random(at::make_generator<at::CPUGeneratorImpl>(uint64_t{5}));
  const at::Tensor added = gap("{plugin: noise, std: 0, normalize_result: false, covariance: " + file + "}")
                               ->perturb(at::ones({20000, 2}), random);
  CHECK(at::allclose(at::cov(added.t()), at::tensor({36.0F, 18.0F, 18.0F, 45.0F}).reshape({2, 2}), 0.05));

  write_safetensors(folder / "offset.safetensors", {{"offset", at::ones({3})}});
  CHECK(contains(
      refusal(ErrorKind::data, options + ", offset: " + (folder / "offset.safetensors").string() + "}"),
      "the covariance is 2 wide, but the offset or map beside it is 3"));
  for (const at::Tensor& wrong : {at::ones({2, 2}), at::tensor({4.0F, 2.0F, 0.0F, 5.0F}).reshape({2, 2})}) {
    write_safetensors(file, {{"covariance", wrong}});
    CHECK(contains(refusal(ErrorKind::data, options + "}"), "must be symmetric and positive definite"));
  }
  write_safetensors(file, {{"covariance", at::ones({2, 3})}});
  CHECK(contains(refusal(ErrorKind::data, options + "}"), "must be a matrix [D,D]"));
}

TEST_CASE("the same generator state gives the same noise") {
  const auto noise = gap("{plugin: noise}");
  const auto draw = [&](uint64_t seed) {
    GeneratorSource random(at::make_generator<at::CPUGeneratorImpl>(seed));
    return noise->perturb(at::ones({4, 8}), random);
  };
  CHECK(at::equal(draw(1), draw(1)));
  CHECK(!at::equal(draw(1), draw(2)));
}

TEST_CASE("the memory's options reach the projection") {
  const auto bank = MemoryBank::open(kBank);
  const at::Tensor features = bank->embeddings().narrow(0, 5, 3) + 0.5;
  const auto memory = gap("{plugin: memory, bank: " + kBank +
                          ", temperature: 0.3, normalize_memory: true, normalize: false}");
  CHECK(at::equal(memory->to_text_space(features), bank->project(features, {0.3, true, false})));
  CHECK(memory->dim() == 64);
  CHECK(memory->nearest(features, 2)[0][0].weight == bank->nearest(features, 2, 0.3)[0][0].weight);
  CHECK(memory->text_fingerprint().empty());
}

TEST_CASE("a memory of half of a bank's columns is the memory of a bank that has no others") {
  const auto bank = MemoryBank::open(kBank);
  const at::Tensor features = bank->embeddings().narrow(0, 5, 3).narrow(1, 32, 32) + 0.5;
  const auto half = MemoryBank::from_memory(bank->embeddings().narrow(1, 32, 32).clone(), bank->texts());
  const auto memory = gap("{plugin: memory, bank: " + kBank + ", columns: second_half}");
  CHECK(memory->dim() == 32);
  CHECK(at::equal(memory->to_text_space(features), half->project(features, {})));
  CHECK(memory->nearest(features, 1)[0][0].text == half->nearest(features, 1, 0.01)[0][0].text);
  const auto first = gap("{plugin: memory, bank: " + kBank + ", columns: first_half}");
  CHECK(!at::allclose(first->to_text_space(features), memory->to_text_space(features)));
  CHECK(contains(refusal(ErrorKind::config, "{plugin: memory, bank: " + kBank + ", columns: third}"),
                 "columns"));
}

TEST_CASE("the memory leaves text features alone while a decoder is trained") {
  GivenNumbers numbers(at::ones({1, 64}));
  const at::Tensor features = at::full({1, 64}, 2.0F);
  CHECK(at::equal(gap("{plugin: memory, bank: " + kBank + "}")->perturb(features, numbers), features));
}

TEST_CASE("a memory needs a bank that is there, and a temperature above zero") {
  CHECK(contains(refusal(ErrorKind::config, "{plugin: memory}"), "'gap.bank' is required"));
  CHECK(contains(refusal(ErrorKind::config, "{plugin: memory, bank: " + kBank + ", temperature: 0}"),
                 "temperature"));
  CHECK(contains(refusal(ErrorKind::io, "{plugin: memory, bank: /no/such/bank.safetensors}"),
                 "/no/such/bank.safetensors"));
}

}  // namespace
}  // namespace patchioner
