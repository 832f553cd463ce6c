// The text memory bank: embeddings [M,D] of a caption collection, and the projection of image-side features
// onto it (spec/01 section 5). Native format: safetensors with "embeddings" and `<stem>.texts.json` beside
// it (docs/formats/memory_bank.md); the reference's HDF5 banks are read.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <memory>
#include <patchioner/gap.hpp>
#include <string>
#include <vector>

namespace patchioner {

struct ProjectionOptions {
  double temperature = 0.01;
  bool normalize_memory = false;  ///< rows of unit length in the weighted sum
  bool normalize = true;          ///< result of unit length
};

/// Immutable once opened; may be shared by threads.
class MemoryBank {
 public:
  /// A native bank (.safetensors) or a reference HDF5 file, told by content; zero rows are dropped with their
  /// texts. Embeddings of a native bank stay mapped. Throws Error: io, checkpoint (damaged), data (texts and
  /// rows do not match, values that are not finite, a row whose length is 0 in float32).
  static std::shared_ptr<const MemoryBank> open(const std::filesystem::path& path);

  /// From embeddings [M,D] and M texts in memory. `name` stands for the file in messages. Errors as open.
  static std::shared_ptr<const MemoryBank> from_memory(at::Tensor embeddings, std::vector<std::string> texts,
                                                       std::map<std::string, std::string> metadata = {},
                                                       const std::string& name = "memory bank");

  /// The bank of the `count` columns from `begin` on, as a bank of its own. `name` stands for the file in
  /// messages. Errors as open.
  std::shared_ptr<const MemoryBank> columns(int64_t begin, int64_t count, const std::string& name) const;

  /// The same bank on another device.
  std::shared_ptr<const MemoryBank> to(at::Device device) const;

  int64_t rows() const { return embeddings_.size(0); }
  int64_t dim() const { return embeddings_.size(1); }
  const at::Tensor& embeddings() const { return embeddings_; }  ///< [M,D] float32
  const at::Tensor& row_norms() const { return norms_; }        ///< [M] float32, all above 0
  const std::vector<std::string>& texts() const { return texts_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  int64_t dropped_rows() const { return dropped_rows_; }  ///< zero rows of the file

  /// [R,D] -> [R,D], on the device of the features. Works through the bank in chunks with a running maximum,
  /// so that extra memory stays below 100 MB whatever M and R are. A feature of zeros gives NaN, as in the
  /// reference. Never changes its input. Throws an Error of kind data when the widths differ.
  at::Tensor project(const at::Tensor& features, const ProjectionOptions& options) const;

  /// For each feature [R,D] the `count` rows of largest cosine similarity, descending, the first of equal
  /// ones first, with their share of the softmax at `temperature`. Errors as project.
  std::vector<std::vector<MemoryMatch>> nearest(const at::Tensor& features, int64_t count,
                                                double temperature) const;

 private:
  MemoryBank() = default;
  at::Tensor embeddings_;
  at::Tensor norms_;
  std::vector<std::string> texts_;
  std::map<std::string, std::string> metadata_;
  int64_t dropped_rows_ = 0;
};

}  // namespace patchioner
