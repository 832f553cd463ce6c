// BERT's encoder against its formula written out.
#include "nn/bert.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include <map>

#include "refusals.hpp"

namespace patchioner {
namespace {

BertConfig small_config() {
  BertConfig config;
  config.width = 8;
  config.heads = 2;
  config.hidden = 12;
  config.layers = 2;
  config.vocabulary = 20;
  config.positions = 6;
  return config;
}

/// Random weights, the same for the same names.
struct RandomWeights {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  std::map<std::string, at::Tensor> tensors;

  WeightSource source() {
    return [this](const std::string& name, const std::vector<int64_t>& shape) {
      at::Tensor& tensor = tensors[name];
      if (!tensor.defined()) {
        tensor = at::randn(shape, generator, at::TensorOptions(at::kFloat)) * 0.5;
      }
      return tensor;
    };
  }
};

at::Tensor norm(const RandomWeights& weights, const std::string& name, const at::Tensor& x) {
  const at::Tensor centred = x - x.mean(-1, true);
  return centred / (centred.square().mean(-1, true) + 1e-12).sqrt() * weights.tensors.at(name + ".weight") +
         weights.tensors.at(name + ".bias");
}

at::Tensor linear(const RandomWeights& weights, const std::string& name, const at::Tensor& x) {
  return at::matmul(x, weights.tensors.at(name + ".weight").t()) + weights.tensors.at(name + ".bias");
}

/// One text [T] as spec/04 section 12.4 has it: [T,W].
at::Tensor written_out(const RandomWeights& weights, const at::Tensor& ids, const BertConfig& config) {
  at::Tensor x = weights.tensors.at("embeddings.word_embeddings.weight").index_select(0, ids) +
                 weights.tensors.at("embeddings.position_embeddings.weight").slice(0, 0, ids.size(0)) +
                 weights.tensors.at("embeddings.token_type_embeddings.weight")[0];
  x = norm(weights, "embeddings.LayerNorm", x);
  const int64_t head_width = config.width / config.heads;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string prefix = "encoder.layer." + std::to_string(layer) + ".";
    const at::Tensor q = linear(weights, prefix + "attention.self.query", x);
    const at::Tensor k = linear(weights, prefix + "attention.self.key", x);
    const at::Tensor v = linear(weights, prefix + "attention.self.value", x);
    std::vector<at::Tensor> heads;
    for (int64_t head = 0; head < config.heads; ++head) {
      const auto cut = [&](const at::Tensor& all) { return all.narrow(1, head * head_width, head_width); };
      const at::Tensor scores = at::matmul(cut(q), cut(k).t()) / std::sqrt(static_cast<double>(head_width));
      heads.push_back(at::matmul(at::softmax(scores, -1), cut(v)));
    }
    x = norm(weights, prefix + "attention.output.LayerNorm",
             x + linear(weights, prefix + "attention.output.dense", at::cat(heads, 1)));
    const at::Tensor inner = linear(weights, prefix + "intermediate.dense", x);
    const at::Tensor activated = inner * 0.5 * (1 + at::erf(inner / std::sqrt(2.0)));
    x = norm(weights, prefix + "output.LayerNorm", x + linear(weights, prefix + "output.dense", activated));
  }
  return x;
}

TEST_CASE("BERT gives what its formula gives, for each row as if alone") {
  RandomWeights weights;
  const BertConfig config = small_config();
  const Bert network(config, weights.source());
  const at::Tensor ids = at::tensor({2, 7, 7, 19, 3, 2, 0, 5, 6, 3}, at::kLong).view({2, 5});
  const at::Tensor states = network.forward(ids);
  for (int64_t row = 0; row < 2; ++row) {
    CHECK((states[row] - written_out(weights, ids[row], config)).abs().max().item<double>() < 2e-5);
  }
}

TEST_CASE("ids that the encoder has no vectors for are refused") {
  RandomWeights weights;
  const Bert network(small_config(), weights.source());
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        (void)network.forward(at::tensor({2, 20}, at::kLong).view({1, 2}));
                      }),
           "token ids from 2 to 20 lie outside the encoder's vocabulary of 20 ids");
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        (void)network.forward(at::zeros({1, 7}, at::kLong));
                      }),
           "1 to 6 columns; got 7");
  BertConfig odd = small_config();
  odd.heads = 3;
  mentions(refusal_of(ErrorKind::config, [&] { (void)Bert(odd, weights.source()); }),
           "a width of 8 cannot be cut into 3 heads");
}

}  // namespace
}  // namespace patchioner
