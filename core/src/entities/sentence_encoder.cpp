#include "entities/sentence_encoder.hpp"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "checkpoint/state_dict.hpp"
#include "nn/unit_length.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

/// Ids of a text, markers included, where no settings file says otherwise: all-MiniLM-L6-v2's.
constexpr int64_t kUsualMostIds = 256;

/// Rows computed together.
constexpr size_t kRowsAtOnce = 64;

nlohmann::json read_settings(const std::filesystem::path& path) {
  try {
    nlohmann::json json = nlohmann::json::parse(read_file(path));
    if (json.is_object()) {
      return json;
    }
  } catch (const nlohmann::json::exception&) {
  }
  throw Error(ErrorKind::data, "{}: the settings are no JSON object", path.string());
}

/// A number of a settings file, or `otherwise`.
template <class Number>
Number number_of(const nlohmann::json& settings, const char* key, Number otherwise,
                 const std::filesystem::path& path) {
  const auto found = settings.find(key);
  if (found == settings.end() || found->is_null()) {
    return otherwise;
  }
  if (!found->is_number() || !(found->get<double>() > 0)) {
    throw Error(ErrorKind::data, "{}: {} is {}, but must be a number above 0", path.string(), key,
                found->dump());
  }
  return found->get<Number>();
}

Activation activation_of(const nlohmann::json& settings, const std::filesystem::path& path) {
  static const std::map<std::string, Activation> kKnown = {{"gelu", Activation::gelu},
                                                           {"gelu_new", Activation::gelu_tanh},
                                                           {"gelu_pytorch_tanh", Activation::gelu_tanh},
                                                           {"relu", Activation::relu}};
  const auto named = settings.find("hidden_act");
  if (named == settings.end()) {
    return Activation::gelu;
  }
  const auto known = named->is_string() ? kKnown.find(named->get<std::string>()) : kKnown.end();
  if (known == kKnown.end()) {
    throw Error(ErrorKind::data, "{}: hidden_act is {}; known are gelu, gelu_new, gelu_pytorch_tanh, relu",
                path.string(), named->dump());
  }
  return known->second;
}

std::filesystem::path find_weights(const std::filesystem::path& folder) {
  for (const char* name : {"model.safetensors", "pytorch_model.bin"}) {
    if (std::filesystem::exists(folder / name)) {
      return folder / name;
    }
  }
  throw Error(
      ErrorKind::io,
      "{}: no sentence encoder is there; wanted is a folder with model.safetensors or pytorch_model.bin, "
      "config.json and vocab.txt",
      folder.string());
}

/// Sizes as the tensors have them; what is no size is in the settings.
BertConfig config_of(const StateDict& weights, const std::filesystem::path& settings_path) {
  const nlohmann::json settings = read_settings(settings_path);
  BertConfig config;
  const auto size = [&](const std::string& name, size_t axis) {
    const TensorInfo* info = weights.info(name);
    if (info == nullptr || info->shape.size() != 2) {
      throw Error(ErrorKind::checkpoint, "{}: this is no BERT-type encoder: there is no table '{}'",
                  weights.path().string(), name);
    }
    return info->shape[axis];
  };
  config.vocabulary = size("embeddings.word_embeddings.weight", 0);
  config.width = size("embeddings.word_embeddings.weight", 1);
  config.positions = size("embeddings.position_embeddings.weight", 0);
  config.types = size("embeddings.token_type_embeddings.weight", 0);
  config.hidden = size("encoder.layer.0.intermediate.dense.weight", 0);
  while (weights.contains_prefix(fmt::format("encoder.layer.{}.", config.layers))) {
    ++config.layers;
  }
  config.heads = number_of<int64_t>(settings, "num_attention_heads", 0, settings_path);
  if (config.heads < 1 || config.width % config.heads != 0) {
    throw Error(ErrorKind::data, "{}: num_attention_heads is {}, which does not divide the width {} of {}",
                settings_path.string(), config.heads, config.width, weights.path().string());
  }
  config.epsilon = number_of<double>(settings, "layer_norm_eps", config.epsilon, settings_path);
  config.activation = activation_of(settings, settings_path);
  return config;
}

}  // namespace

std::shared_ptr<const SentenceEncoder> SentenceEncoder::open(const std::filesystem::path& folder,
                                                             at::Device device) {
  StateDict weights = StateDict::open(find_weights(folder));
  if (weights.contains_prefix("bert.")) {
    weights = weights.with_prefix("bert.");
  }
  const BertConfig config = config_of(weights, folder / "config.json");
  auto tokenizer = WordPieceTokenizer::open(folder / "vocab.txt");
  if (tokenizer->size() != config.vocabulary) {
    throw Error(
        ErrorKind::data, "{}: the vocabulary has {} tokens, but {} has {}; they do not belong together",
        (folder / "vocab.txt").string(), tokenizer->size(), weights.path().string(), config.vocabulary);
  }
  int64_t most = kUsualMostIds;
  if (const auto own = folder / "sentence_bert_config.json"; std::filesystem::exists(own)) {
    most = number_of<int64_t>(read_settings(own), "max_seq_length", most, own);
  }
  most = std::min(most, config.positions);

  TensorLoader loader(weights, "sentence encoder");
  loader.ignore_prefix("pooler.");
  loader.ignore("embeddings.position_ids");
  Bert network(config, weights_from(loader, device));
  loader.finish();
  std::string digest = sha256(
      std::string_view(fmt::format("{} {} {} {} {} {}", weights.digest(), tokenizer->digest(), config.heads,
                                   config.epsilon, static_cast<int>(config.activation), most)));
  return std::shared_ptr<const SentenceEncoder>(new SentenceEncoder(
      std::move(network), std::move(tokenizer), static_cast<size_t>(most), std::move(digest)));
}

SentenceEncoder::SentenceEncoder(Bert network, std::shared_ptr<const WordPieceTokenizer> tokenizer,
                                 size_t most_ids, std::string digest)
    : network_(std::move(network)),
      tokenizer_(std::move(tokenizer)),
      most_ids_(most_ids),
      digest_(std::move(digest)) {}

std::vector<int64_t> SentenceEncoder::tokenize(std::string_view text) const {
  return tokenizer_->encode(text, most_ids_);
}

at::Tensor SentenceEncoder::mean_states(std::span<const std::string> texts) const {
  const at::NoGradGuard no_gradients;
  std::map<size_t, std::vector<int64_t>> by_length;  // number of ids -> places
  std::vector<std::vector<int64_t>> ids;
  for (const std::string& text : texts) {
    ids.push_back(tokenize(text));
    by_length[ids.back().size()].push_back(static_cast<int64_t>(ids.size()) - 1);
  }
  at::Tensor result = at::empty({static_cast<int64_t>(texts.size()), dim()}, at::kFloat);  // [N,W]
  for (const auto& [length, places] : by_length) {
    for (size_t begin = 0; begin < places.size(); begin += kRowsAtOnce) {
      const std::vector<int64_t> chosen(
          places.begin() + static_cast<std::ptrdiff_t>(begin),
          places.begin() + static_cast<std::ptrdiff_t>(std::min(begin + kRowsAtOnce, places.size())));
      std::vector<int64_t> table;
      for (const int64_t place : chosen) {
        const auto& row = ids[static_cast<size_t>(place)];
        table.insert(table.end(), row.begin(), row.end());
      }
      const at::Tensor states =
          network_.forward(at::tensor(table, at::kLong).view({-1, static_cast<int64_t>(length)}));  // [n,T,W]
      result.index_copy_(0, at::tensor(chosen, at::kLong), states.mean(1).to(at::kCPU));
    }
  }
  return result;
}

at::Tensor SentenceEncoder::encode(std::span<const std::string> texts) const {
  const at::NoGradGuard no_gradients;
  return unit_rows(mean_states(texts));
}

}  // namespace patchioner
