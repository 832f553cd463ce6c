// The parameters of a GPT-2 behind a soft prompt: read from the reference's checkpoints, begun afresh, and
// written so that the reference reads them (spec/04 sections 3.3 and 10).
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "nn/gpt2_weights.hpp"
#include "nn/soft_prompt_weights.hpp"

namespace patchioner {

/// Whose checkpoint it is: what its soft prompt's names begin with differs.
enum class PromptedKind {
  viecap,   ///< `mapping_network.`
  clipcap,  ///< `clip_project.`
};

/// All parameters, float32, on one device.
struct PromptedWeights {
  PromptedKind kind = PromptedKind::viecap;
  Gpt2Weights language_model;
  SoftPromptWeights soft_prompt;

  /// By checkpoint name; the tensors are shared. Those of the language model are left out without
  /// `with_language_model`.
  std::vector<std::pair<std::string, at::Tensor>> named(bool with_language_model) const;

  void move_to(at::Device device);
};

/// Reads a checkpoint; all sizes are told by its shapes, but the heads. Throws Error: io, checkpoint when the
/// file is no such decoder, config for heads that do not divide the widths.
PromptedWeights load_prompted_weights(const std::filesystem::path& path, PromptedKind kind,
                                      int64_t mapping_heads, int64_t language_model_heads);

/// Reads a GPT-2 alone, as Hugging Face or a checkpoint names it ("h.0.", "transformer.h.0." or
/// "gpt.transformer.h.0."). Throws as load_prompted_weights.
Gpt2Weights load_language_model(const std::filesystem::path& path, int64_t heads);

/// Writes a checkpoint of the reference's layout, atomically.
void save_prompted_weights(const std::filesystem::path& path, const PromptedWeights& weights);

/// What the layout has no place for; it lies beside a checkpoint, as `<stem>_config.json`.
struct PromptedNotes {
  int64_t mapping_heads = 0;         ///< 0: not known
  int64_t language_model_heads = 0;  ///< 0: not known
  std::string text_fingerprint;      ///< of the text side that it was trained with; may be empty
};

/// Reads them; nothing is known where there is no such file. Throws Error: io, or data when it is damaged.
PromptedNotes read_prompted_notes(const std::filesystem::path& weights);

/// Writes them, atomically.
void write_prompted_notes(const std::filesystem::path& weights, const PromptedNotes& notes);

}  // namespace patchioner
