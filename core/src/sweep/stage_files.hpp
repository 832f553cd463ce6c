// What stages leave in the cache, and how the next ones read it (docs/formats/stage_cache.md). All of it
// comes in parts of so many images, so that a killed stage goes on behind its last part and every part is
// computed alike whoever does it.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <patchioner/aggregator.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "cache/stage_cache.hpp"
#include "checkpoint/state_dict.hpp"

namespace patchioner {

constexpr size_t kImagesAPart = 64;

/// How many parts so many images have.
constexpr size_t part_count(size_t images) {
  return (images + kImagesAPart - 1) / kImagesAPart;
}

/// "part_00012.safetensors"
std::string part_name(size_t part, const std::string& extension);

/// One image as a backbone has seen it.
struct EncodedImage {
  std::string error;  ///< not empty: there is nothing else
  int64_t width = 0;  ///< of the original image, pixels
  int64_t height = 0;
  /// Patches [rows,columns,D], global token [D], attention [rows,columns], each of them float32 or undefined,
  /// but alike in all images of an entry; before they are written on any device.
  PatchFeatures features;
};

/// Writes images that have no error under their digests, stacked: "sizes" [B,2] int64, "patches"
/// [B,rows,columns,D] and "global" [B,D] as float16 when `half`, else float32, and "attention"
/// [B,rows,columns] float32; what is undefined is left out. `digests` is parallel to `images`. Throws an
/// Error of kind io.
void write_features(const std::filesystem::path& file, const std::vector<std::string>& digests,
                    const std::vector<EncodedImage>& images, bool half);

/// The features of all images of an entry, mapped into memory. [any-thread]
class FeatureReader {
 public:
  /// Throws DamagedEntry when a part is not what was written.
  explicit FeatureReader(std::shared_ptr<const StageEntry> entry);
  /// Float32 on the CPU, also of halves. An image that the entry has not is an Error of kind internal.
  EncodedImage image(const std::string& digest) const;

 private:
  struct Place {
    size_t part = 0;
    int64_t row = 0;
  };
  std::shared_ptr<const StageEntry> entry_;
  std::vector<StateDict> parts_;
  std::unordered_map<std::string, Place> places_;
  std::unordered_map<std::string, std::string> errors_;
};

/// A vector for each region of some images, or why there is none.
struct RegionVectors {
  at::Tensor vectors;               ///< [R,D] float32 on the CPU; rows of regions with an error are 0
  std::vector<std::string> errors;  ///< [R], mostly empty texts
  std::vector<int64_t> warnings;    ///< [R], how many

  /// The places of regions without an error.
  std::vector<int64_t> sound() const;
};

/// Writes "vectors" [R,D] float32 and "warnings" [R] int64, with the errors beside them. Throws an Error of
/// kind io.
void write_vectors(const std::filesystem::path& file, const RegionVectors& vectors);
/// Throws DamagedEntry when the part is not what was written.
RegionVectors read_vectors(const StageEntry& entry, size_t part);

}  // namespace patchioner
