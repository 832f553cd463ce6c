// CLIP checkpoints of any origin seen through one set of names, OpenAI's (spec/02 section 12): OpenAI and
// open_clip files, Hugging Face CLIPModel files, timm's image towers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backbones/checkpoint_names.hpp"

namespace patchioner {

/// Whose names a checkpoint uses.
enum class ClipLayout { openai, hugging_face, timm };
std::string_view to_string(ClipLayout layout);

/// Where the two towers stand in a checkpoint under OpenAI's names.
struct ClipPrefixes {
  std::string image = "visual.";
  std::string text;                   ///< "text." in open_clip files with a text tower of its own class
  std::string in_proj = ".in_proj_";  ///< before "weight" and "bias"; ".in_proj." in AlphaCLIP's files
};

/// The tensors under canonical names: "visual.conv1.weight",
/// "visual.transformer.resblocks.0.attn.in_proj_weight", "visual.proj", "token_embedding.weight",
/// "text_projection" ... and "visual.proj_bias", which only timm's files have. Nothing is read until asked
/// for. [any-thread]
class ClipCheckpoint {
 public:
  /// Recognises the layout by content. Throws an Error of kind checkpoint for what is no CLIP with a vision
  /// transformer, saying what it looks like.
  explicit ClipCheckpoint(StateDict state_dict);

  /// A checkpoint of another model that holds towers of a CLIP under OpenAI's names behind prefixes of its
  /// own (DenseCLIP, AlphaCLIP). That it is one, the caller knows. The prefix of a tower that is there may be
  /// empty when the other one is not there.
  ClipCheckpoint(StateDict state_dict, ClipPrefixes prefixes);

  ClipLayout layout() const { return layout_; }
  const StateDict& state_dict() const { return state_dict_; }

  /// Whether any of a tower's tensors is there. What others it lacks the loader then reports: a truncated
  /// tower is an error and not an absent one.
  bool has_image_tower() const;
  bool has_text_tower() const;

  /// Whether the file says that it is OpenAI's own: a TorchScript archive, or the integers that OpenAI stores
  /// beside the weights.
  bool from_openai() const;

  /// Shape under a canonical name, in canonical form; nullopt when absent.
  std::optional<std::vector<int64_t>> shape(const std::string& name) const;
  bool contains(const std::string& name) const { return shape(name).has_value(); }

  /// Number of blocks under "visual.transformer.resblocks." or "transformer.resblocks."; a gap throws an
  /// Error of kind checkpoint.
  int64_t layers(const std::string& prefix) const;

  /// Tensors by canonical name and shape, read through `loader` (which must hold state_dict()), so that its
  /// report speaks of the file's own names.
  WeightSource weights(TensorLoader& loader, at::Device device) const;

  /// Marks what a CLIP file holds beside the towers, and the towers that are not wanted, as known to
  /// `loader`.
  void ignore_rest(TensorLoader& loader, bool image, bool text) const;

  /// Which tensors of the file make the one of a canonical name.
  TensorRecipe recipe(const std::string& name) const;

  /// The same for files of transformers.
  static TensorRecipe hugging_face_recipe(const std::string& name);

 private:
  TensorRecipe timm_recipe(const std::string& name) const;
  std::string stored_blocks(const std::string& prefix) const;

  StateDict state_dict_;
  ClipLayout layout_ = ClipLayout::openai;
  ClipPrefixes prefixes_;
};

}  // namespace patchioner
