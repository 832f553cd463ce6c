// The texts that a decoder learns from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace patchioner {

struct TrainingCaptions {
  std::vector<std::string> texts;
  std::vector<std::string> image_ids;  ///< as text, one a caption; empty when the file has none
  std::string digest;                  ///< SHA-256 of the file
};

/// Reads `annotations[].caption` of a JSON object in the manner of COCO (with `image_id`, if every entry has
/// one), a JSON array of strings, or a text file with one caption a line (blank lines are left out), told
/// apart by content. Throws Error: io, or data with the place and what is wrong; also for a file without any
/// caption.
TrainingCaptions read_training_captions(const std::filesystem::path& file);

}  // namespace patchioner
