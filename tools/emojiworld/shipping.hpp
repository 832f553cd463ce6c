// How weights ship: small. Matrices are kept as halves of few significant bits in deflated archives, which
// takes about a third of the bytes that float32 would and changes no caption score by more than chance does.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace patchioner::emoji {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// Matrices in half precision, rounded to kShippedBits significant bits; vectors as they are. What was
/// rounded before stays as it is.
NamedTensors rounded(NamedTensors tensors);
inline constexpr int kShippedBits = 5;

/// Writes a state dict as it ships.
void ship(const std::filesystem::path& path, const NamedTensors& tensors);

/// Rewrites a state dict as it ships.
void ship_again(const std::filesystem::path& path);

/// Rewrites a memory bank with rows in half precision.
void ship_bank(const std::filesystem::path& path);

}  // namespace patchioner::emoji
