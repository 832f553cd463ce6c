#include "nn/gpt2_weights.hpp"

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

namespace patchioner {

namespace {

struct LayerField {
  const char* name;
  at::Tensor Gpt2Layer::*tensor;
};

// The order of the original checkpoints.
constexpr std::array<LayerField, 12> kLayerFields{{
    {"ln_1.weight", &Gpt2Layer::ln_1_weight},
    {"ln_1.bias", &Gpt2Layer::ln_1_bias},
    {"attn.c_attn.weight", &Gpt2Layer::c_attn_weight},
    {"attn.c_attn.bias", &Gpt2Layer::c_attn_bias},
    {"attn.c_proj.weight", &Gpt2Layer::attn_proj_weight},
    {"attn.c_proj.bias", &Gpt2Layer::attn_proj_bias},
    {"ln_2.weight", &Gpt2Layer::ln_2_weight},
    {"ln_2.bias", &Gpt2Layer::ln_2_bias},
    {"mlp.c_fc.weight", &Gpt2Layer::c_fc_weight},
    {"mlp.c_fc.bias", &Gpt2Layer::c_fc_bias},
    {"mlp.c_proj.weight", &Gpt2Layer::mlp_proj_weight},
    {"mlp.c_proj.bias", &Gpt2Layer::mlp_proj_bias},
}};

std::vector<int64_t> layer_shape(const Gpt2Config& config, size_t field) {
  const int64_t width = config.n_embd;
  const int64_t inner = config.inner();
  switch (field) {
    case 2:
      return {width, 3 * width};
    case 3:
      return {3 * width};
    case 4:
      return {width, width};
    case 8:
      return {width, inner};
    case 9:
      return {inner};
    case 10:
      return {inner, width};
    default:
      return {width};
  }
}

std::string layer_name(int64_t layer, const char* field) {
  return fmt::format("transformer.h.{}.{}", layer, field);
}

}  // namespace

void Gpt2Config::check(const std::string& where) const {
  const auto positive = [&](const char* name, int64_t value) {
    if (value <= 0) {
      throw Error(ErrorKind::config, "{}: {} is {}, but must be at least 1", where, name, value);
    }
  };
  positive("vocab_size", vocab_size);
  positive("n_positions", n_positions);
  positive("n_embd", n_embd);
  positive("n_layer", n_layer);
  positive("n_head", n_head);
  if (n_embd % n_head != 0) {
    throw Error(ErrorKind::config,
                "{}: n_head {} does not divide n_embd {}; give n_head as the model was trained with", where,
                n_head, n_embd);
  }
}

std::vector<std::pair<std::string, at::Tensor>> Gpt2Weights::named() const {
  std::vector<std::pair<std::string, at::Tensor>> result{{"transformer.wte.weight", token_embedding},
                                                         {"transformer.wpe.weight", position_embedding}};
  for (size_t layer = 0; layer < layers.size(); ++layer) {
    for (const LayerField& field : kLayerFields) {
      result.emplace_back(layer_name(static_cast<int64_t>(layer), field.name), layers[layer].*field.tensor);
    }
  }
  result.emplace_back("transformer.ln_f.weight", ln_f_weight);
  result.emplace_back("transformer.ln_f.bias", ln_f_bias);
  return result;
}

void Gpt2Weights::move_to(at::Device device) {
  for (at::Tensor* tensor : {&token_embedding, &position_embedding, &ln_f_weight, &ln_f_bias}) {
    *tensor = tensor->to(device);
  }
  for (Gpt2Layer& layer : layers) {
    for (const LayerField& field : kLayerFields) {
      layer.*field.tensor = (layer.*field.tensor).to(device);
    }
  }
}

void infer_gpt2_sizes(const StateDict& state_dict, const std::string& prefix, Gpt2Config& config) {
  const auto size = [&](const std::string& name, size_t axis, int64_t& value) {
    const TensorInfo* info = state_dict.info(prefix + name);
    if (value == 0 && info != nullptr && info->shape.size() > axis) {
      value = info->shape[axis];
    }
  };
  size("transformer.wte.weight", 0, config.vocab_size);
  size("transformer.wte.weight", 1, config.n_embd);
  size("transformer.wpe.weight", 0, config.n_positions);
  size("transformer.h.0.mlp.c_fc.weight", 1, config.n_inner);
  if (config.n_layer == 0) {
    while (state_dict.contains_prefix(prefix + fmt::format("transformer.h.{}.", config.n_layer))) {
      ++config.n_layer;
    }
  }
}

Gpt2Weights load_gpt2(TensorLoader& loader, const std::string& prefix, const Gpt2Config& config) {
  Gpt2Weights weights;
  weights.config = config;
  weights.token_embedding = loader.get(prefix + "transformer.wte.weight", {config.vocab_size, config.n_embd});
  weights.position_embedding =
      loader.get(prefix + "transformer.wpe.weight", {config.n_positions, config.n_embd});
  weights.layers.resize(static_cast<size_t>(config.n_layer));
  for (int64_t layer = 0; layer < config.n_layer; ++layer) {
    for (size_t field = 0; field < kLayerFields.size(); ++field) {
      weights.layers[static_cast<size_t>(layer)].*kLayerFields[field].tensor =
          loader.get(prefix + layer_name(layer, kLayerFields[field].name), layer_shape(config, field));
    }
    loader.ignore(prefix + layer_name(layer, "attn.bias"));
    loader.ignore(prefix + layer_name(layer, "attn.masked_bias"));
  }
  weights.ln_f_weight = loader.get(prefix + "transformer.ln_f.weight", {config.n_embd});
  weights.ln_f_bias = loader.get(prefix + "transformer.ln_f.bias", {config.n_embd});
  const at::Tensor head = loader.get_optional(prefix + "lm_head.weight", {config.vocab_size, config.n_embd});
  if (head.defined() && head.sizes() == weights.token_embedding.sizes() &&
      !at::equal(head, weights.token_embedding)) {
    log(LogLevel::warning,
        "{}lm_head.weight differs from {}transformer.wte.weight although the two are tied; lm_head is used "
        "for both",
        prefix, prefix);
    weights.token_embedding = head;
  }
  return weights;
}

Gpt2Weights initialise_gpt2(const Gpt2Config& config, at::Generator& generator) {
  config.check("GPT-2");
  const auto normal = [&](std::vector<int64_t> shape, double deviation) {
    return at::empty(shape, at::kFloat).normal_(0.0, deviation, generator);
  };
  const double range = config.initializer_range;
  const double projection_range = range / std::sqrt(2.0 * static_cast<double>(config.n_layer));
  Gpt2Weights weights;
  weights.config = config;
  weights.token_embedding = normal({config.vocab_size, config.n_embd}, range);
  weights.position_embedding = normal({config.n_positions, config.n_embd}, range);
  for (int64_t layer = 0; layer < config.n_layer; ++layer) {
    Gpt2Layer& block = weights.layers.emplace_back();
    for (size_t field = 0; field < kLayerFields.size(); ++field) {
      const std::vector<int64_t> shape = layer_shape(config, field);
      const std::string_view name = kLayerFields[field].name;
      at::Tensor& tensor = block.*kLayerFields[field].tensor;
      if (name.ends_with("bias")) {
        tensor = at::zeros(shape, at::kFloat);
      } else if (name.starts_with("ln_")) {
        tensor = at::ones(shape, at::kFloat);
      } else {
        tensor = normal(shape, name.ends_with("c_proj.weight") ? projection_range : range);
      }
    }
  }
  weights.ln_f_weight = at::ones({config.n_embd}, at::kFloat);
  weights.ln_f_bias = at::zeros({config.n_embd}, at::kFloat);
  return weights;
}

}  // namespace patchioner
