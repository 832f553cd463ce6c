#include "decoding/prompted_weights.hpp"

#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "checkpoint/checkpoint_family.hpp"
#include "checkpoint/state_dict.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

constexpr const char* kModelPrefix = "gpt.";
constexpr const char* kHead = "gpt.lm_head.weight";
constexpr const char* kMappingHeads = "mapping_heads";
constexpr const char* kLanguageModelHeads = "language_model_heads";
constexpr const char* kFingerprint = "text_fingerprint";

const char* soft_prompt_prefix(PromptedKind kind) {
  return kind == PromptedKind::viecap ? "mapping_network." : "clip_project.";
}

/// The sizes of the GPT-2 of a checkpoint, all of them told by its shapes but the heads.
Gpt2Config language_model_config(const StateDict& state_dict, int64_t heads) {
  Gpt2Config config;
  config.vocab_size = config.n_positions = config.n_embd = config.n_layer = config.n_inner = 0;
  config.n_head = heads;
  infer_gpt2_sizes(state_dict, kModelPrefix, config);
  config.check(state_dict.path().string());
  return config;
}

/// The name of a GPT-2's tensor in a decoder's checkpoint.
std::string name_in_decoder(const std::string& name) {
  if (name.starts_with(kModelPrefix)) {
    return name;
  }
  const bool has_level = name.starts_with("transformer.") || name.starts_with("lm_head.");
  return kModelPrefix + std::string(has_level ? "" : "transformer.") + name;
}

std::filesystem::path notes_of(const std::filesystem::path& weights) {
  return weights.parent_path() / (weights.stem().string() + "_config.json");
}

}  // namespace

std::vector<std::pair<std::string, at::Tensor>> PromptedWeights::named(bool with_language_model) const {
  std::vector<std::pair<std::string, at::Tensor>> result;
  if (with_language_model) {
    for (auto& [name, tensor] : language_model.named()) {
      result.emplace_back(kModelPrefix + name, tensor);
    }
  }
  for (const auto& [name, tensor] : soft_prompt.named) {
    result.emplace_back(soft_prompt_prefix(kind) + name, tensor);
  }
  return result;
}

void PromptedWeights::move_to(at::Device device) {
  language_model.move_to(device);
  soft_prompt.move_to(device);
}

PromptedWeights load_prompted_weights(const std::filesystem::path& path, PromptedKind kind,
                                      int64_t mapping_heads, int64_t language_model_heads) {
  const StateDict state_dict = StateDict::open(path);
  const bool viecap = kind == PromptedKind::viecap;
  require_family(state_dict, {viecap ? CheckpointFamily::viecap_decoder : CheckpointFamily::clipcap_decoder},
                 viecap ? "`weights` must be a ViECap decoder: a GPT-2 (gpt.*) behind mapping_network"
                        : "`weights` must be a ClipCap decoder: a GPT-2 (gpt.*) behind clip_project");
  const Gpt2Config config = language_model_config(state_dict, language_model_heads);
  const std::string prefix = soft_prompt_prefix(kind);
  TensorLoader loader(state_dict, viecap ? "ViECap decoder" : "ClipCap decoder");
  PromptedWeights weights;
  weights.kind = kind;
  weights.soft_prompt =
      soft_prompt_weights(infer_soft_prompt(state_dict, prefix, config.n_embd, mapping_heads),
                          with_prefix(weights_from(loader), prefix));
  weights.language_model = load_gpt2(loader, kModelPrefix, config);
  loader.finish();
  return weights;
}

Gpt2Weights load_language_model(const std::filesystem::path& path, int64_t heads) {
  const StateDict file = StateDict::open(path);
  require_family(file, {CheckpointFamily::gpt2}, "`language_model` must be a GPT-2 alone");
  const StateDict state_dict = file.renamed(name_in_decoder);
  const Gpt2Config config = language_model_config(state_dict, heads);
  TensorLoader loader(state_dict, "GPT-2");
  Gpt2Weights weights = load_gpt2(loader, kModelPrefix, config);
  loader.finish();
  return weights;
}

void save_prompted_weights(const std::filesystem::path& path, const PromptedWeights& weights) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  bool has_head = false;
  for (const auto& [name, tensor] : weights.named(/*with_language_model=*/true)) {
    if (!has_head && !name.starts_with(kModelPrefix)) {
      // The head is tied, and stands behind the language model's last layer norm.
      tensors.emplace_back(kHead, weights.language_model.token_embedding.detach());
      has_head = true;
    }
    tensors.emplace_back(name, tensor.detach());
  }
  write_torch_state_dict(path, tensors);
}

PromptedNotes read_prompted_notes(const std::filesystem::path& weights) {
  const std::filesystem::path file = notes_of(weights);
  PromptedNotes notes;
  if (!std::filesystem::exists(file)) {
    return notes;
  }
  const nlohmann::json json = nlohmann::json::parse(read_file(file), nullptr, false);
  try {
    notes.mapping_heads = json.value(kMappingHeads, int64_t{0});
    notes.language_model_heads = json.value(kLanguageModelHeads, int64_t{0});
    notes.text_fingerprint = json.value(kFingerprint, std::string());
  } catch (const nlohmann::json::exception&) {
    throw Error(
        ErrorKind::data,
        "{}: must be a JSON object with {}, {} and {}, as training writes it beside a checkpoint; take "
        "it away to read the weights without",
        file.string(), kMappingHeads, kLanguageModelHeads, kFingerprint);
  }
  return notes;
}

void write_prompted_notes(const std::filesystem::path& weights, const PromptedNotes& notes) {
  const nlohmann::ordered_json json = {{kMappingHeads, notes.mapping_heads},
                                       {kLanguageModelHeads, notes.language_model_heads},
                                       {kFingerprint, notes.text_fingerprint}};
  write_file(notes_of(weights), json.dump(1) + "\n");
}

}  // namespace patchioner
