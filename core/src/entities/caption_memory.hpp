// Captions that a region's feature is compared with: what MeaCap finds its concepts in (spec/04 sections 11.1
// and 11.2).
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "memory/memory_bank.hpp"

namespace patchioner {

/// A memory bank with what may lie beside it: the captions' scene graphs, and vectors of the names in these.
/// Immutable; may be shared by threads.
class CaptionMemory {
 public:
  /// A bank as MemoryBank::open takes it, or a folder of the reference: `memory_captions.json` (a list of
  /// texts), `memory_clip_embeddings.pt` (one tensor [N,D]) or `.safetensors` (`embeddings`), and where it
  /// has them `memory_scene_graphs.json` (a list of texts, one a caption), `entity_names.txt` and
  /// `entity_embeddings.safetensors`. Embeddings of float32 stay mapped. Throws Error: io, checkpoint, and
  /// data when the numbers of captions, embeddings and scene graphs differ, or no caption has any text;
  /// otherwise as MemoryBank::open. Captions without any text are left out with their rows.
  static std::shared_ptr<const CaptionMemory> open(const std::filesystem::path& path);

  /// The same memory on another device.
  std::shared_ptr<const CaptionMemory> to(at::Device device) const;

  const MemoryBank& bank() const { return *bank_; }
  int64_t dim() const { return bank_->dim(); }
  /// Fingerprint of the text side that the embeddings were made with, empty when it is not recorded.
  std::string text_fingerprint() const;

  bool has_scene_graphs() const { return !graph_ends_.empty(); }
  /// Of the caption in a row of the bank, when there are any.
  std::string scene_graph(int64_t row) const;

  /// Names in scene graphs and their vectors; both empty when the memory has neither file.
  const std::filesystem::path& entity_names() const { return entity_names_; }
  const std::filesystem::path& entity_embeddings() const { return entity_embeddings_; }

  /// For each feature [R,D] the `count` captions of largest cosine similarity, descending. A feature of
  /// zeros, or one that is not finite, is near to none. Throws an Error of kind data when the widths differ.
  std::vector<std::vector<MemoryMatch>> nearest(const at::Tensor& features, int64_t count) const;

 private:
  CaptionMemory() = default;
  void read_folder(const std::filesystem::path& folder);
  void leave_out_empty_captions(const std::filesystem::path& path);
  void read_scene_graphs(const std::filesystem::path& path, const std::vector<bool>& wanted);

  std::shared_ptr<const MemoryBank> bank_;
  std::string graphs_;              // one behind the other, which takes half the room of as many texts
  std::vector<size_t> graph_ends_;  // a row of the bank each, or none
  std::filesystem::path entity_names_;
  std::filesystem::path entity_embeddings_;
};

}  // namespace patchioner
