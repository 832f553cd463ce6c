// What the writers of checkpoints have in common.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/state_dict.hpp"

namespace patchioner {

/// Bytes of a tensor in a file.
uint64_t byte_count(const TensorInfo& info);

/// The tensor, contiguous and on the CPU; an Error of kind internal when it is not what was announced.
at::Tensor made(const TensorToWrite& tensor, const std::filesystem::path& path);

/// Tensors that are in memory already, as tensors to write; those of one memory are marked as the same.
std::vector<TensorToWrite> at_hand(const std::vector<std::pair<std::string, at::Tensor>>& tensors);

}  // namespace patchioner
