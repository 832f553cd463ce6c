#include "nn/mapping_network.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <map>

#include "refusals.hpp"

namespace patchioner {
namespace {

constexpr int64_t kDim = 6, kWidth = 16, kProjected = 3, kPrompt = 2, kLayers = 2, kHeads = 4;

/// Weights of a small network by their names in a checkpoint.
std::map<std::string, at::Tensor> small_weights() {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(5);
  const auto normal = [&](std::vector<int64_t> shape) {
    return at::randn(shape, generator, at::TensorOptions(at::kFloat)) * 0.4;
  };
  std::map<std::string, at::Tensor> weights;
  weights["mapping_network.linear.weight"] = normal({kProjected * kWidth, kDim});
  weights["mapping_network.linear.bias"] = normal({kProjected * kWidth});
  weights["mapping_network.prefix_const"] = normal({kPrompt, kWidth});
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    const std::string name = fmt::format("mapping_network.transformer.layers.{}.", layer);
    for (const char* norm : {"norm1", "norm2"}) {
      weights[name + norm + ".weight"] = normal({kWidth}) + 1;
      weights[name + norm + ".bias"] = normal({kWidth});
    }
    weights[name + "attn.to_queries.weight"] = normal({kWidth, kWidth});
    weights[name + "attn.to_keys_values.weight"] = normal({2 * kWidth, kWidth});
    weights[name + "attn.project.weight"] = normal({kWidth, kWidth});
    weights[name + "attn.project.bias"] = normal({kWidth});
    weights[name + "mlp.fc1.weight"] = normal({2 * kWidth, kWidth});
    weights[name + "mlp.fc1.bias"] = normal({2 * kWidth});
    weights[name + "mlp.fc2.weight"] = normal({kWidth, 2 * kWidth});
    weights[name + "mlp.fc2.bias"] = normal({kWidth});
  }
  return weights;
}

MappingNetwork network(const std::map<std::string, at::Tensor>& weights) {
  const StateDict state_dict = StateDict::from_tensors(weights);
  TensorLoader loader(state_dict, "mapping network");
  MappingNetwork result(infer_mapping_network(state_dict, "mapping_network.", kHeads),
                        with_prefix(weights_from(loader), "mapping_network."));
  loader.finish();
  return result;
}

/// The soft prompt of one feature, written out head by head (spec/04 section 3.1).
at::Tensor written_out(const std::map<std::string, at::Tensor>& weights, const at::Tensor& feature) {
  const auto w = [&](const std::string& name) { return weights.at("mapping_network." + name); };
  at::Tensor h =
      at::cat({at::linear(feature, w("linear.weight"), w("linear.bias")).view({kProjected, kWidth}),
               w("prefix_const")});  // [Q+P,E]
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    const std::string name = fmt::format("transformer.layers.{}.", layer);
    const auto norm = [&](const char* which) {
      return at::layer_norm(h, {kWidth}, w(name + which + ".weight"), w(name + which + ".bias"), 1e-5);
    };
    const at::Tensor a = norm("norm1");
    const at::Tensor q = at::matmul(a, w(name + "attn.to_queries.weight").t());
    const at::Tensor kv = at::matmul(a, w(name + "attn.to_keys_values.weight").t());
    std::vector<at::Tensor> heads;
    const int64_t size = kWidth / kHeads;
    for (int64_t head = 0; head < kHeads; ++head) {
      const auto slice = [&](const at::Tensor& x, int64_t first) {
        return x.narrow(1, first + head * size, size);
      };
      const at::Tensor scores =
          at::matmul(slice(q, 0), slice(kv, 0).t()) / std::sqrt(static_cast<double>(size));
      heads.push_back(at::matmul(at::softmax(scores, 1), slice(kv, kWidth)));
    }
    h = h + at::linear(at::cat(heads, 1), w(name + "attn.project.weight"), w(name + "attn.project.bias"));
    const at::Tensor inner =
        at::relu(at::linear(norm("norm2"), w(name + "mlp.fc1.weight"), w(name + "mlp.fc1.bias")));
    h = h + at::linear(inner, w(name + "mlp.fc2.weight"), w(name + "mlp.fc2.bias"));
  }
  return h.slice(0, kProjected);
}

TEST_CASE("the mapping network gives what its formulas give, row by row") {
  const auto weights = small_weights();
  const MappingNetwork mapper = network(weights);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(6);
  const at::Tensor features = at::randn({3, kDim}, generator, at::TensorOptions(at::kFloat));
  const at::Tensor soft = mapper.forward(features);
  for (int64_t row = 0; row < 3; ++row) {
    CHECK(at::allclose(soft[row], written_out(weights, features[row]), 1e-4, 1e-4));
  }
}

TEST_CASE("sizes are told by the weights") {
  const MappingNetworkConfig config = network(small_weights()).config();
  CHECK(config.dim == kDim);
  CHECK(config.width == kWidth);
  CHECK(config.projected_length == kProjected);
  CHECK(config.prompt_length == kPrompt);
  CHECK(config.layers == kLayers);
  CHECK(config.hidden == 2 * kWidth);
}

TEST_CASE("weights that are no mapping network are refused by name") {
  auto weights = small_weights();
  weights.erase("mapping_network.prefix_const");
  mentions(refusal_of(ErrorKind::checkpoint, [&] { network(weights); }), "mapping_network.prefix_const");
  weights = small_weights();
  weights.erase("mapping_network.transformer.layers.1.attn.to_queries.weight");
  mentions(refusal_of(ErrorKind::checkpoint, [&] { network(weights); }),
           "transformer.layers.1.attn.to_queries.weight");
  const StateDict state_dict = StateDict::from_tensors(small_weights());
  mentions(
      refusal_of(ErrorKind::config, [&] { (void)infer_mapping_network(state_dict, "mapping_network.", 5); }),
      "5 heads do not divide the mapping network's width 16");
}

}  // namespace
}  // namespace patchioner
