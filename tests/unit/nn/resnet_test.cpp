// Convolutions with folded norms, CLIP's ResNet and its attention pool. Real weights are compared by
// `verify`.
#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <map>
#include <patchioner/error.hpp>

#include "nn/attention_pool.hpp"
#include "nn/convolution.hpp"
#include "nn/modified_resnet.hpp"

namespace patchioner {
namespace {

/// Random tensors by name, variances positive; asked for twice, a name gives the same tensor.
class RandomWeights {
 public:
  WeightSource source() {
    return [this](const std::string& name, const std::vector<int64_t>& shape) {
      const auto found = known_.find(name);
      if (found != known_.end()) {
        return found->second;
      }
      const at::Tensor made = at::randn(shape, generator_, at::TensorOptions(at::kFloat));
      return known_[name] = name.ends_with("running_var") ? made.abs() + 0.1 : made * 0.3;
    };
  }
  const at::Tensor& operator[](const std::string& name) const { return known_.at(name); }

 private:
  at::Generator generator_ = at::make_generator<at::CPUGeneratorImpl>(3);
  std::map<std::string, at::Tensor> known_;
};

/// The norm behind a convolution, as it is defined.
at::Tensor unfolded(const at::Tensor& x, const RandomWeights& weights, const std::string& name,
                    const std::string& norm, int64_t stride) {
  const at::Tensor weight = weights[name + ".weight"].to(at::kDouble);
  const int64_t padding = weight.size(2) / 2;
  const at::Tensor y = at::conv2d(x.to(at::kDouble), weight, {}, {stride, stride}, {padding, padding});
  const auto of_norm = [&](const char* what) {
    return weights[norm + "." + what].to(at::kDouble).view({1, -1, 1, 1});
  };
  return (y - of_norm("running_mean")) / (of_norm("running_var") + 1e-5).sqrt() * of_norm("weight") +
         of_norm("bias");
}

double difference(const at::Tensor& ours, const at::Tensor& expected) {
  return (ours.to(at::kDouble) - expected).abs().max().item<double>();
}

at::Tensor random_map(at::IntArrayRef shape) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(4);
  return at::randn(shape, generator, at::TensorOptions(at::kFloat))
      .contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

TEST_CASE("a folded norm gives typed numbers") {
  // 2 x 1 channel, weight 3: (3 x - 1) / sqrt(4 + 1e-5) * 2 + 5.
  const std::map<std::string, float> values = {
      {"c.weight", 3}, {"n.weight", 2}, {"n.bias", 5}, {"n.running_mean", 1}, {"n.running_var", 4}};
  const WeightSource source = [&](const std::string& name, const std::vector<int64_t>& shape) {
    return at::full(shape, values.at(name));
  };
  const Convolution convolution = Convolution::with_frozen_norm({1, 1, 1, 1}, source, "c", "n");
  const at::Tensor x = at::tensor({2.0F, -2.0F}).view({1, 1, 1, 2});
  const at::Tensor y = convolution.forward(x).flatten();
  CHECK(y[0].item<float>() == doctest::Approx(9.99999375).epsilon(1e-6));
  CHECK(y[1].item<float>() == doctest::Approx(-1.99999125).epsilon(1e-6));
  CHECK(convolution.forward_relu(x).flatten()[1].item<float>() == 0.0F);
  const at::Tensor sum = convolution.forward_add_relu(x, at::tensor({-20.0F, 3.0F}).view({1, 1, 1, 2}));
  CHECK(sum.flatten()[0].item<float>() == 0.0F);
  CHECK(sum.flatten()[1].item<float>() == doctest::Approx(1.00000875).epsilon(1e-6));
}

TEST_CASE("convolution and frozen norm folded into one equal the two, whatever kernel and stride") {
  for (const auto& [kernel, stride] : {std::pair<int64_t, int64_t>{1, 1}, {3, 1}, {3, 2}}) {
    CAPTURE(kernel);
    CAPTURE(stride);
    RandomWeights weights;
    const Convolution convolution =
        Convolution::with_frozen_norm({5, 7, kernel, stride}, weights.source(), "c", "n");
    const at::Tensor x = random_map({2, 5, 9, 6});
    const at::Tensor expected = unfolded(x, weights, "c", "n", stride);
    CHECK(difference(convolution.forward(x), expected) < 2e-6);
    CHECK(difference(convolution.forward_relu(x), expected.relu()) < 2e-6);
    const at::Tensor residual = random_map(expected.sizes());
    CHECK(difference(convolution.forward_add_relu(x, residual.clone()), (expected + residual).relu()) < 2e-6);
  }
}

TEST_CASE("a convolution refuses a weight of another shape") {
  CHECK_THROWS_AS(Convolution({2, 3, 3, 1}, at::zeros({3, 2, 1, 1}), at::zeros({3})), Error);
  CHECK_THROWS_AS(Convolution({2, 3, 1, 1}, at::zeros({3, 2, 1, 1}), at::zeros({2})), Error);
}

TEST_CASE("a bottleneck is three convolutions around a shortcut, with a pool where the stride is 2") {
  for (const auto& [in, stride] : {std::pair<int64_t, int64_t>{4, 1}, {8, 1}, {8, 2}}) {
    CAPTURE(in);
    CAPTURE(stride);
    RandomWeights weights;
    const Bottleneck block(in, 2, stride, weights.source(), at::kFloat);
    const at::Tensor x = random_map({2, in, 6, 4}).relu();
    const auto pooled = [stride = stride](const at::Tensor& map) {
      return stride == 2 ? at::avg_pool2d(map, 2) : map;
    };
    at::Tensor y = unfolded(x, weights, "conv1", "bn1", 1).relu();
    y = unfolded(y, weights, "conv2", "bn2", 1).relu();
    y = unfolded(pooled(y), weights, "conv3", "bn3", 1);
    const bool identity = in == 8 && stride == 1;
    const at::Tensor shortcut =
        identity ? x.to(at::kDouble) : unfolded(pooled(x), weights, "downsample.0", "downsample.1", 1);
    CHECK(difference(block.forward(x.clone()), (y + shortcut).relu()) < 5e-6);
  }
}

TEST_CASE(
    "the maps of a ResNet have a cell every 16 and every 32 pixels, rounded as its convolutions round") {
  RandomWeights weights;
  const ModifiedResNet resnet({2, {2, 1, 1, 1}}, weights.source());
  for (const auto& [height, width] : {std::pair<int64_t, int64_t>{64, 96}, {32, 62}, {63, 70}, {127, 33}}) {
    CAPTURE(height);
    CAPTURE(width);
    const at::Tensor pixels = random_map({1, 3, height, width});
    const at::Tensor inner = resnet.inner_map(pixels);
    const at::Tensor before = inner.clone();
    const at::Tensor last = resnet.last_map(inner);
    CHECK(inner.size(1) == 32);
    CHECK(last.size(1) == 64);
    CHECK(last.size(2) == ModifiedResNet::cells(height));
    CHECK(last.size(3) == ModifiedResNet::cells(width));
    CHECK(at::equal(inner, before));  // layer4 leaves it as it is
  }
  CHECK(ModifiedResNet::cells(512) == 16);
  CHECK(ModifiedResNet::cells(510) == 15);
  CHECK(ModifiedResNet::cells(511) == 16);
}

TEST_CASE("a ResNet refuses what it cannot see") {
  RandomWeights weights;
  const ModifiedResNet resnet({2, {1, 1, 1, 1}}, weights.source());
  CHECK_THROWS_WITH_AS(resnet.inner_map(at::zeros({1, 3, 31, 64})),
                       "an input of 64 x 31 pixels is smaller than one patch of 32 x 32", Error);
  CHECK_THROWS_WITH_AS(resnet.inner_map(at::zeros({1, 4, 64, 64})),
                       "pixels have the shape [1,4,64,64]; expected [images, 3, height, width]", Error);
  CHECK_THROWS_AS(resnet.inner_map(at::zeros({3, 64, 64})), Error);
}

TEST_CASE("the attention pool is attention over the cells and their mean, head by head") {
  RandomWeights weights;
  const AttentionPool pool({8, 2, 5, 3}, weights.source());
  const at::Tensor map = random_map({2, 8, 2, 2});
  at::Tensor logits;
  const at::Tensor rows = pool.pool(map, PooledRows::all, &logits);
  REQUIRE(rows.sizes() == at::IntArrayRef({2, 5, 3}));
  REQUIRE(logits.sizes() == at::IntArrayRef({2, 2, 4}));
  const auto weight = [&](const std::string& name) { return weights[name].to(at::kDouble); };
  const auto linear = [&](const at::Tensor& x, const std::string& name) {
    return at::matmul(x, weight(name + ".weight").t()) + weight(name + ".bias");
  };
  const at::Tensor cells = map.to(at::kDouble).flatten(2).transpose(1, 2);  // [2,4,8]
  const at::Tensor tokens =
      at::cat({cells.mean(1, true), cells}, 1) + weight("positional_embedding");  // [2,5,8]
  const at::Tensor q = linear(tokens, "q_proj");
  const at::Tensor k = linear(tokens, "k_proj");
  const at::Tensor v = linear(tokens, "v_proj");
  std::vector<at::Tensor> mixed;
  for (int64_t head = 0; head < 2; ++head) {
    const auto part = [head](const at::Tensor& x) { return x.slice(2, 4 * head, 4 * head + 4); };
    const at::Tensor scores = at::matmul(part(q), part(k).transpose(1, 2)) / 2.0;  // the root of 4
    mixed.push_back(at::matmul(at::softmax(scores, -1), part(v)));
    CHECK(difference(logits.select(1, head), scores.select(1, 0).slice(1, 1)) < 1e-5);
  }
  CHECK(difference(rows, linear(at::cat(mixed, 2), "c_proj")) < 1e-5);
  CHECK(difference(pool.pool(map, PooledRows::mean), rows.slice(1, 0, 1).to(at::kDouble)) < 1e-5);
  CHECK(difference(pool.project_cells(map), linear(cells, "c_proj")) < 1e-5);
}

TEST_CASE("the pool's positions keep the mean's row and go bilinearly to another grid") {
  const WeightSource source = [](const std::string& name, const std::vector<int64_t>& shape) {
    return name == "positional_embedding" ? at::tensor({9.0F, 0.0F, 4.0F, 8.0F, 12.0F}).view(shape)
                                          : at::zeros(shape);
  };
  const AttentionPool pool({1, 1, 5, 1}, source);
  // 2 x 2 to 1 x 4: rows halve to their mean 4, 8; columns at -0.25, 0.25, 0.75, 1.25 of the two.
  const at::Tensor table = pool.positions(1, 4).flatten();
  const std::vector<float> expected = {9, 4, 5, 7, 8};
  for (size_t i = 0; i < expected.size(); ++i) {
    CHECK(table[static_cast<int64_t>(i)].item<float>() == doctest::Approx(expected[i]));
  }
  CHECK(at::equal(pool.positions(2, 2).flatten(), at::tensor({9.0F, 0.0F, 4.0F, 8.0F, 12.0F})));
}

TEST_CASE("an attention pool refuses heads that do not divide its width and, in use, tables of no square") {
  RandomWeights weights;
  CHECK_THROWS_WITH_AS(AttentionPool({8, 3, 5, 3}, weights.source()),
                       "an attention pool of width 8 cannot be cut into 3 heads", Error);
  CHECK_THROWS_AS((void)AttentionPool({8, 2, 6, 3}, weights.source()).positions(2, 2), Error);
}

}  // namespace patchioner
