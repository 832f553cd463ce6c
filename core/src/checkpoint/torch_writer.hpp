// How tensors are laid out in a torch archive that is written (state_dict.hpp has the ordinary way).
#pragma once

#include <filesystem>
#include <vector>

#include "checkpoint/state_dict.hpp"

namespace patchioner {

/// How the tensors of a torch archive are kept.
enum class ArchiveStorage {
  plain,     ///< as they are, so that readers can map them
  deflated,  ///< smaller on disk; every reader has to inflate them into memory
};

/// stream_torch_state_dict with tensors kept that way. PyTorch reads both.
void stream_torch_archive(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                          ArchiveStorage storage);

/// write_torch_state_dict, deflated.
void write_deflated_state_dict(const std::filesystem::path& path,
                               const std::vector<std::pair<std::string, at::Tensor>>& tensors);

}  // namespace patchioner
