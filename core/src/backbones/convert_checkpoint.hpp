// Checkpoints of every known family written anew: as safetensors under one naming - the names by which the
// readers call the tensors - or back in the layouts that other programs read.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint_family.hpp"
#include "checkpoint/state_dict.hpp"

namespace patchioner {

/// The layouts that are written.
enum class ConversionTarget {
  safetensors,   ///< canonical names; settings that the weights do not say are in the metadata
  torch,         ///< canonical names as torch.save writes them: OpenAI's, the official DINOv2's ...
  hugging_face,  ///< transformers' names as safetensors, and its config.json; CLIP, DINO and DINOv2
};

struct ConversionOptions {
  ConversionTarget target = ConversionTarget::safetensors;
  std::optional<at::ScalarType> dtype;  ///< of floating-point tensors; unset: as they are
  std::filesystem::path config;         ///< the model's configuration file; empty: the one beside it, if any
  int64_t heads = 0;                    ///< of a DINO or DINOv2; 0: from its configuration, else width / 64
};

/// A small file that belongs beside the weights.
struct CompanionFile {
  std::string name;  ///< "config.json"; one that begins with a dot or an underscore follows the weights' stem
  std::string content;
};

/// Everything that a conversion will write. Tensors are made when they are written.
struct Conversion {
  CheckpointIdentity identity;
  ConversionTarget target = ConversionTarget::safetensors;
  std::vector<TensorToWrite> tensors;
  std::vector<std::string> left_out;  ///< tensors of the file for which the layout has no place
  std::map<std::string, std::string> metadata;
  std::vector<CompanionFile> companions;
  std::vector<std::string> remarks;  ///< sentences that the user should read
};

/// Finds out what is to be written; reads no tensor but tied ones. Throws Error: checkpoint for a file that
/// is not known or incomplete, config where the layout needs settings that are not known, usage for a layout
/// that the family does not have.
Conversion plan_conversion(const StateDict& checkpoint, const ConversionOptions& options);

/// Writes the tensors one after the other, in a memory of the largest of them. Errors as of the writers, and
/// of kind data for a value that float16 cannot hold, io after an interrupt; nothing is changed then.
void write_conversion(const Conversion& conversion, const std::filesystem::path& path);

/// Where a companion of weights at `weights` lies.
std::filesystem::path companion_path(const CompanionFile& companion, const std::filesystem::path& weights);

}  // namespace patchioner
