// The text memory bank: embeddings [M,D] of a caption collection, and the projection of image-side features
// onto it (spec/01 section 5). Native format: safetensors with "embeddings" and `<stem>.texts.json` beside
// it; the reference's HDF5 banks are read.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <patchioner/gap.hpp>
#include <string>
#include <vector>

namespace patchioner {

struct ProjectionOptions {
  double temperature = 0.01;
  bool normalize_memory = false;  ///< rows of unit length in the weighted sum
  bool normalize = true;          ///< result of unit length
};

class MemoryBank {
 public:
  /// A native bank (.safetensors) or a reference HDF5 file, told by content; zero rows are dropped.
  /// Embeddings stay mapped. Throws Error: io, checkpoint (damaged), data (texts and rows do not match).
  static std::shared_ptr<const MemoryBank> open(const std::filesystem::path& path);

  int64_t rows() const { return embeddings_.size(0); }
  int64_t dim() const { return embeddings_.size(1); }
  const at::Tensor& embeddings() const { return embeddings_; }  ///< [M,D] float32
  const std::vector<std::string>& texts() const { return texts_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  /// [R,D] -> [R,D]; works through the bank in chunks with a running maximum, so that extra memory stays
  /// small whatever M is.
  at::Tensor project(const at::Tensor& features, const ProjectionOptions& options) const;

  /// For each feature the `count` rows of largest cosine similarity, descending, with their share of the
  /// softmax at `temperature`.
  std::vector<std::vector<MemoryMatch>> nearest(const at::Tensor& features, int64_t count,
                                                double temperature) const;

 private:
  MemoryBank() = default;
  at::Tensor embeddings_;
  std::vector<std::string> texts_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace patchioner
