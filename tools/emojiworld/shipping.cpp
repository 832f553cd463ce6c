#include "shipping.hpp"

#include <cmath>

#include "checkpoint/state_dict.hpp"
#include "checkpoint/torch_writer.hpp"

namespace patchioner::emoji {
namespace {

constexpr int kHalfBits = 11;  // significant bits of a half, the leading one included

/// To the nearest number of so few significant bits, the even one of two that are equally near.
at::Tensor to_significant_bits(const at::Tensor& tensor) {
  constexpr uint32_t kDropped = kHalfBits - kShippedBits;
  at::Tensor halves = tensor.to(at::kHalf, false, true).contiguous();
  auto* bits = reinterpret_cast<uint16_t*>(halves.data_ptr<at::Half>());
  for (int64_t i = 0; i < halves.numel(); ++i) {
    const uint32_t half = bits[i];
    const uint32_t up = (1u << (kDropped - 1)) - 1 + ((half >> kDropped) & 1);
    bits[i] = static_cast<uint16_t>(((half + up) >> kDropped) << kDropped);
  }
  return halves;
}

at::Tensor to_steps(const at::Tensor& tensor) {
  const at::Tensor numbers = tensor.to(at::kDouble);
  const double size = numbers.square().mean().sqrt().item<double>();
  if (size == 0) {
    return tensor.to(at::kHalf);
  }
  const double step = std::exp2(std::round(std::log2(size * kShippedStep)));
  // Rounding makes a matrix a little larger, by which another step may be next: one that was rounded to a
  // step is left to it.
  const at::Tensor finer = numbers / (step / 2);
  if (at::equal(finer, finer.round())) {
    return tensor.to(at::kHalf);
  }
  return ((numbers / step).round() * step).to(at::kHalf);
}

}  // namespace

NamedTensors rounded(NamedTensors tensors, Rounding rounding) {
  for (auto& [name, tensor] : tensors) {
    if (tensor.dim() >= 2 && at::isFloatingType(tensor.scalar_type())) {
      tensor = rounding == Rounding::steps ? to_steps(tensor) : to_significant_bits(tensor);
    }
  }
  return tensors;
}

void ship(const std::filesystem::path& path, const NamedTensors& tensors, Rounding rounding) {
  write_deflated_state_dict(path, rounded(tensors, rounding));
}

void ship_again(const std::filesystem::path& path, Rounding rounding) {
  NamedTensors tensors;
  {
    const StateDict state = StateDict::open(path);
    for (const std::string& name : state.names()) {
      tensors.emplace_back(name, state.tensor(name).clone());
    }
  }
  ship(path, tensors, rounding);
}

void ship_bank(const std::filesystem::path& path) {
  const StateDict bank = StateDict::open(path);
  const at::Tensor rows = bank.tensor("embeddings").to(at::kHalf, false, true);
  write_safetensors(path, {{"embeddings", rows}}, bank.metadata());
}

}  // namespace patchioner::emoji
