// DINO and DINOv2 checkpoints of any origin seen through the official names (spec/03 sections 1.4 to 1.6 and
// 2): the official files, Hugging Face's, timm's.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backbones/checkpoint_names.hpp"
#include "checkpoint/checkpoint_family.hpp"

namespace patchioner {

/// Whose names a checkpoint uses.
enum class Dinov2Layout { official, hugging_face, timm };
std::string_view to_string(Dinov2Layout layout);

/// The tensors under the official names ("blocks.0.attn.qkv.weight", "register_tokens" ...). Nothing is read
/// until asked for. [any-thread]
class Dinov2Checkpoint {
 public:
  /// Recognises the layout by content, and the prefixes that training and classification checkpoints put in
  /// front. Throws an Error of kind checkpoint for what is no DINO or DINOv2, saying what it looks like.
  explicit Dinov2Checkpoint(StateDict state_dict);

  Dinov2Layout layout() const { return layout_; }
  const StateDict& state_dict() const { return state_dict_; }

  /// CheckpointFamily::dino or ::dinov2: DINO's blocks have no LayerScale, and its files hold neither
  /// registers nor a mask token. A gap among the blocks throws an Error of kind checkpoint.
  CheckpointFamily family() const;

  /// Shape under an official name, in official form; nullopt when absent.
  std::optional<std::vector<int64_t>> shape(const std::string& name) const;
  bool contains(const std::string& name) const { return shape(name).has_value(); }

  /// Number of blocks; a gap throws an Error of kind checkpoint.
  int64_t layers() const;

  /// Tensors by official name and shape, read through `loader` (which must hold state_dict()), so that its
  /// report speaks of the file's own names.
  WeightSource weights(TensorLoader& loader, at::Device device) const;

  /// Marks what such files hold beside the backbone (mask token, heads) as known to `loader`.
  void ignore_rest(TensorLoader& loader) const;

  /// Which tensors of the file make the one of an official name.
  TensorRecipe recipe(const std::string& name) const;

  /// The same for files of transformers; `plain_vit`: under the names of its ViT, as DINO has them there.
  static TensorRecipe hugging_face_recipe(const std::string& name, bool plain_vit);

 private:
  TensorRecipe timm_recipe(const std::string& name) const;
  void find_chunks();

  StateDict state_dict_;
  Dinov2Layout layout_ = Dinov2Layout::official;
  bool hugging_face_vit_ = false;  ///< transformers' plain ViT, whose names DINO has there
  bool positions_without_class_ = false;
  bool timm_swiglu_ = false;
  std::map<int64_t, std::string>
      chunk_of_block_;  ///< "2.7." for block 7 in chunk 2; empty for ordinary names
};

}  // namespace patchioner
