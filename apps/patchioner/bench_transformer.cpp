// patchioner bench transformer: a vision transformer of real size against the same network written out
// eagerly, operator by operator, as PyTorch runs DINOv2.
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>

#include <map>
#include <memory>
#include <patchioner/error.hpp>

#include "bench.hpp"
#include "nn/attention.hpp"
#include "nn/linear.hpp"
#include "nn/vit.hpp"

namespace patchioner {
namespace {

struct TransformerBench {
  std::string size = "b";
  int64_t resolution = 518;
  int64_t images = 1;
  int64_t registers = 4;
  int64_t repeat = 7;
  RuntimeOptions runtime = {.device = "cpu"};
};

/// Width, layers and heads of the DINOv2 of each size (spec/03 section 1.1).
VitConfig network(const TransformerBench& bench) {
  static const std::map<std::string, std::array<int64_t, 3>> sizes = {
      {"s", {384, 12, 6}}, {"b", {768, 12, 12}}, {"l", {1024, 24, 16}}};
  const auto [width, layers, heads] = sizes.at(bench.size);
  VitConfig config;
  config.block.width = width;
  config.block.heads = heads;
  config.block.hidden = 4 * width;
  config.block.epsilon = config.final_epsilon = 1e-6;
  config.block.layer_scale = true;
  config.layers = layers;
  config.patch_size = 14;
  config.patch_bias = true;
  config.registers = bench.registers;
  const int64_t side = bench.resolution / config.patch_size;
  config.position_rows = 1 + side * side;
  config.strict_size = true;
  return config;
}

using Weights = std::map<std::string, at::Tensor>;

/// Random weights, made when they are asked for and kept under their names.
WeightSource random_weights(Weights& kept, at::Device device) {
  auto generator = std::make_shared<at::Generator>(at::make_generator<at::CPUGeneratorImpl>(1));
  return [&kept, generator, device](const std::string& name, const std::vector<int64_t>& shape) {
    const at::Tensor made = at::randn(shape, *generator, at::TensorOptions(at::kFloat)) * 0.02;
    return kept[name] =
               (name.ends_with("norm1.weight") || name.ends_with("norm2.weight") || name == "norm.weight"
                    ? made + 1
                    : made)
                   .to(device);
  };
}

/// The same network as eager code writes it: one operator after the other, nothing prepared beforehand.
class EagerNetwork {
 public:
  EagerNetwork(const VitConfig& config, const Weights& weights, bool fused_attention)
      : config_(config), weights_(weights), fused_(fused_attention) {}

  at::Tensor forward(const at::Tensor& pixels) const {
    const int64_t images = pixels.size(0);
    const int64_t width = config_.block.width;
    const at::Tensor map =
        at::conv2d(pixels, at("patch_embed.proj.weight"), at("patch_embed.proj.bias"), config_.patch_size);
    at::Tensor x = at::cat({at("cls_token").expand({images, 1, width}), map.flatten(2).transpose(1, 2)}, 1) +
                   at("pos_embed");
    if (config_.registers > 0) {
      x = at::cat(
          {x.slice(1, 0, 1), at("register_tokens").expand({images, config_.registers, width}), x.slice(1, 1)},
          1);
    }
    for (int64_t layer = 0; layer < config_.layers; ++layer) {
      const std::string block = "blocks." + std::to_string(layer) + ".";
      x = x + attention(block, norm(block + "norm1", x)) * at(block + "ls1.gamma");
      const at::Tensor hidden = at::gelu(linear(block + "mlp.fc1", norm(block + "norm2", x)));
      x = x + linear(block + "mlp.fc2", hidden) * at(block + "ls2.gamma");
    }
    return norm("norm", x);
  }

 private:
  const at::Tensor& at(const std::string& name) const { return weights_.at(name); }
  at::Tensor linear(const std::string& name, const at::Tensor& x) const {
    return at::linear(x, at(name + ".weight"), at(name + ".bias"));
  }
  at::Tensor norm(const std::string& name, const at::Tensor& x) const {
    return at::layer_norm(x, {config_.block.width}, at(name + ".weight"), at(name + ".bias"),
                          config_.block.epsilon);
  }
  at::Tensor attention(const std::string& block, const at::Tensor& x) const {
    const auto [q, k, v] = split_heads(linear(block + "attn.qkv", x), config_.block.heads);  // [B,H,T,d]
    const double scale = 1 / std::sqrt(static_cast<double>(q.size(3)));
    const at::Tensor mixed = fused_
                                 ? at::scaled_dot_product_attention(q, k, v)
                                 : at::matmul(at::softmax(at::matmul(q * scale, k.transpose(-2, -1)), -1), v);
    return linear(block + "attn.proj", mixed.transpose(1, 2).reshape(x.sizes()));
  }

  const VitConfig& config_;
  const Weights& weights_;
  bool fused_;
};

struct Candidate {
  std::string name;
  std::function<at::Tensor()> run;
  at::Tensor tokens;
};

void print_results(const std::vector<Candidate>& candidates, const std::vector<Timing>& timings,
                   int64_t images) {
  fmt::print("  {:36} {:>8} {:>9} {:>7} {:>9} {:>10} {:>8}   {}\n", "", "min s", "median s", "cpu s",
             "images/s", "x softmax", "x fused", "largest difference");
  for (size_t i = 0; i < candidates.size() && !timings[i].seconds.empty(); ++i) {
    const double difference = (candidates[i].tokens - candidates[0].tokens).abs().max().item<double>();
    const double median = timings[i].median();
    fmt::print("  {:36} {:8.3f} {:9.3f} {:7.2f} {:9.2f} {:10.2f} {:8.2f}   {:.2g}\n", candidates[i].name,
               timings[i].fastest(), median, timings[i].processor(), static_cast<double>(images) / median,
               timings[0].median() / median, timings[1].median() / median, difference);
  }
}

void bench_transformer(const TransformerBench& bench) {
  const c10::InferenceMode no_gradients;
  const VitConfig config = network(bench);
  if (bench.resolution % config.patch_size != 0) {
    throw Error(ErrorKind::usage, "--resolution {} is no multiple of the patch size {}", bench.resolution,
                config.patch_size);
  }
  const at::Device device = plugin_context(bench.runtime).device;
  Weights weights;
  const VisionTransformer fp32(config, VitNames::dinov2(), random_weights(weights, device));
  const auto same = [&weights](const std::string& name, const std::vector<int64_t>&) {
    return weights.at(name);
  };
  const EagerNetwork written_out(config, weights, false);
  const EagerNetwork fused(config, weights, true);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(2);
  const at::Tensor pixels = at::randn({bench.images, 3, bench.resolution, bench.resolution}, generator,
                                      at::TensorOptions(at::kFloat))
                                .to(device);
  std::vector<Candidate> candidates;
  candidates.push_back(
      {"eager, softmax(q k^T) v written out", [&] { return written_out.forward(pixels); }, {}});
  candidates.push_back({"eager, fused attention operator", [&] { return fused.forward(pixels); }, {}});
  candidates.push_back(
      {"patchioner fp32", [&] { return fp32.normalise(fp32.forward(pixels).tokens_raw); }, {}});
  std::unique_ptr<const VisionTransformer> bf16;
  if (!device.is_cpu() || fast_bfloat16()) {
    bf16 = std::make_unique<VisionTransformer>(config, VitNames::dinov2(), same, at::kBFloat16);
    candidates.push_back(
        {"patchioner bf16", [&] { return bf16->normalise(bf16->forward(pixels).tokens_raw); }, {}});
  }
  fmt::print(
      "ViT-{}/14 at {} ({} layers, width {}, {} registers) on {}, random weights, {} image{} a pass, {} "
      "passes "
      "each in turn\n",
      bench.size, bench.resolution, config.layers, config.block.width, config.registers, bench.runtime.device,
      bench.images, bench.images == 1 ? "" : "s", bench.repeat);
  std::vector<std::function<void()>> runs;
  for (Candidate& candidate : candidates) {
    runs.emplace_back([&candidate, device] {
      candidate.tokens = candidate.run();
      synchronise(device);
    });
  }
  print_results(candidates, measure_in_turn(runs, bench.repeat), bench.images);
  if (device.is_cpu()) {
    print_bfloat16_note();
  }
}

}  // namespace

void add_bench_transformer(CLI::App& bench) {
  CLI::App* command = bench.add_subcommand(
      "transformer", "A vision transformer of real size against the same network in eager code");
  auto options = std::make_shared<TransformerBench>();
  auto common = std::make_shared<BenchOptions>();
  add_bench_options(*command, *common);
  command->add_option("--size", options->size, "DINOv2's size")
      ->check(CLI::IsMember({"s", "b", "l"}))
      ->capture_default_str();
  add_count(*command, "--resolution", options->resolution, "Side of the input, pixels", 14, 4096);
  add_count(*command, "--images", options->images, "Images a pass", 1, 256);
  add_count(*command, "--registers", options->registers, "Register tokens", 0, 64);
  add_count(*command, "--repeat", options->repeat, "Passes of each", 1, 1000);
  add_device(*command, options->runtime);
  command->footer("Example:\n  patchioner bench transformer --size b --resolution 518");
  command->callback([options, common] {
    begin_bench(*common);
    bench_transformer(*options);
  });
}

}  // namespace patchioner
