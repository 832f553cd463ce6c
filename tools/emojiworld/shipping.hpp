// How weights ship: small. Matrices are kept as halves of few different values in deflated archives, which
// takes about a quarter of the bytes that float32 would and changes no caption score by more than chance
// does.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace patchioner::emoji {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// How the numbers of a matrix are rounded.
enum class Rounding {
  /// To multiples of a step, the power of two next to kShippedStep of the matrix's root mean square. Packs a
  /// fifth smaller than the other at about the same error.
  steps,
  /// To kShippedBits significant bits, by which small numbers are kept: for text encoders, whose features
  /// banks
  /// and decoders are made from, and for convolutions before batch norms, whose filters differ much in size.
  significant_bits
};
inline constexpr double kShippedStep = 1.0 / 13;
inline constexpr int kShippedBits = 5;

/// Matrices in half precision, rounded; vectors as they are. What was rounded so before stays as it is.
NamedTensors rounded(NamedTensors tensors, Rounding rounding);

/// Writes a state dict as it ships.
void ship(const std::filesystem::path& path, const NamedTensors& tensors,
          Rounding rounding = Rounding::steps);

/// Rewrites a state dict as it ships.
void ship_again(const std::filesystem::path& path, Rounding rounding = Rounding::steps);

/// Rewrites a memory bank with rows in half precision.
void ship_bank(const std::filesystem::path& path);

}  // namespace patchioner::emoji
