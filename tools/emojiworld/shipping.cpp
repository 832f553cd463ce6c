#include "shipping.hpp"

#include "checkpoint/state_dict.hpp"
#include "checkpoint/torch_writer.hpp"

namespace patchioner::emoji {
namespace {

constexpr int kHalfBits = 11;  // significant bits of a half, the leading one included

/// Rounds to the nearest number of so few significant bits, to the even one of two that are equally near.
at::Tensor to_short_halves(const at::Tensor& tensor) {
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

}  // namespace

NamedTensors rounded(NamedTensors tensors) {
  for (auto& [name, tensor] : tensors) {
    if (tensor.dim() >= 2 && at::isFloatingType(tensor.scalar_type())) {
      tensor = to_short_halves(tensor);
    }
  }
  return tensors;
}

void ship(const std::filesystem::path& path, const NamedTensors& tensors) {
  write_deflated_state_dict(path, rounded(tensors));
}

void ship_again(const std::filesystem::path& path) {
  NamedTensors tensors;
  {
    const StateDict state = StateDict::open(path);
    for (const std::string& name : state.names()) {
      tensors.emplace_back(name, state.tensor(name).clone());
    }
  }
  ship(path, tensors);
}

void ship_bank(const std::filesystem::path& path) {
  const StateDict bank = StateDict::open(path);
  const at::Tensor rows = bank.tensor("embeddings").to(at::kHalf, false, true);
  write_safetensors(path, {{"embeddings", rows}}, bank.metadata());
}

}  // namespace patchioner::emoji
