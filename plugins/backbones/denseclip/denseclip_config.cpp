#include "denseclip_config.hpp"

#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "config/paths.hpp"

namespace patchioner {
namespace {

/// The value at a dotted path; nullptr when it is absent or null.
const Value* find_value(const Value& document, const char* path) {
  const Value* value = document.find_path(path);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<int64_t> positive(const Value& document, const char* path) {
  const Value* value = find_value(document, path);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (value->as_integer() < 1) {
    throw Error(ErrorKind::config, "{}: {} is {}, expected a number above 0", value->origin().to_string(),
                path, value->as_integer());
  }
  return value->as_integer();
}

std::optional<std::array<float, 3>> three_numbers(const Value& document, const char* path) {
  const Value* value = find_value(document, path);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_list() || value->as_list().size() != 3) {
    throw Error(ErrorKind::config, "{}: {} must be a list of three numbers, for red, green and blue",
                value->origin().to_string(), path);
  }
  std::array<float, 3> numbers{};
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<float>(value->as_list()[i].as_number());
  }
  return numbers;
}

void refuse_resnet(const Value& document) {
  const Value* type = find_value(document, "model.type");
  const bool other = type != nullptr && (!type->is_text() || type->as_text() != "vit");
  const Value* layers = find_value(document, "model.vision.vision_layers");
  const bool stages = layers != nullptr && layers->is_list();
  if (other || stages) {
    throw Error(ErrorKind::config,
                "{}: {}; only DenseCLIP with a vision transformer (model.type: vit) is supported here",
                (other ? type : layers)->origin().to_string(),
                other ? "model.type is not vit" : "vision_layers lists the stages of a ResNet");
  }
}

void require_equal(const DenseClipConfig& config, const char* key, const DenseClipConfig::Number& said,
                   int64_t found, const std::string& weights) {
  if (said && *said != found) {
    throw Error(ErrorKind::config,
                "{} says {}: {}, but {} has {}; give the configuration file that belongs to the weights",
                config.file, key, *said, weights, found);
  }
}

}  // namespace

DenseClipConfig read_denseclip_config(const std::string& file) {
  const Value document = read_yaml(file);
  const Value* model = document.find("model");
  if (model == nullptr || (model->find("vision") == nullptr && model->find("text") == nullptr)) {
    throw Error(ErrorKind::config,
                "{}: no configuration of a DenseCLIP: it has neither model.vision nor model.text", file);
  }
  refuse_resnet(document);
  DenseClipConfig config;
  config.file = file;
  config.image_resolution = positive(document, "model.vision.image_resolution");
  config.vision_layers = positive(document, "model.vision.vision_layers");
  config.vision_width = positive(document, "model.vision.vision_width");
  config.vision_patch_size = positive(document, "model.vision.vision_patch_size");
  config.vision_dim = positive(document, "model.vision.embed_dim");
  config.context_length = positive(document, "model.text.context_length");
  config.vocab_size = positive(document, "model.text.vocab_size");
  config.transformer_width = positive(document, "model.text.transformer_width");
  config.transformer_heads = positive(document, "model.text.transformer_heads");
  config.transformer_layers = positive(document, "model.text.transformer_layers");
  config.text_dim = positive(document, "model.text.embed_dim");
  config.mean = three_numbers(document, "preprocessing.image_mean");
  config.std = three_numbers(document, "preprocessing.image_std");
  if (const Value* path = find_value(document, "checkpoint.path")) {
    config.checkpoint = resolve_path(*path);
  }
  return config;
}

void check_image_side(const DenseClipConfig& config, const VitConfig& tower, const std::string& weights) {
  const auto check = [&](const char* key, const DenseClipConfig::Number& said, int64_t found) {
    require_equal(config, key, said, found, weights);
  };
  check("model.vision.vision_layers", config.vision_layers, tower.layers);
  check("model.vision.vision_width", config.vision_width, tower.block.width);
  check("model.vision.vision_patch_size", config.vision_patch_size, tower.patch_size);
  check("model.vision.embed_dim", config.vision_dim, tower.projection);
}

void check_text_side(const DenseClipConfig& config, const ClipTextConfig& tower, const std::string& weights) {
  const auto check = [&](const char* key, const DenseClipConfig::Number& said, int64_t found) {
    require_equal(config, key, said, found, weights);
  };
  check("model.text.vocab_size", config.vocab_size, tower.vocabulary);
  check("model.text.transformer_width", config.transformer_width, tower.block.width);
  check("model.text.transformer_layers", config.transformer_layers, tower.layers);
  check("model.text.embed_dim", config.text_dim, tower.dim);
}

}  // namespace patchioner
