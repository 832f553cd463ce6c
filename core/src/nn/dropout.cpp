#include "nn/dropout.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include "support/split_mix.hpp"

namespace patchioner {

namespace {

/// The key of a mask, from the default generator.
uint64_t draw_key() {
  auto* generator =
      at::get_generator_or_default<at::CPUGeneratorImpl>(std::nullopt, at::detail::getDefaultCPUGenerator());
  const std::lock_guard<std::mutex> lock(generator->mutex_);
  return generator->random64();
}

/// Zeros and 1 / (1 - rate), float32, for `count` numbers: 32 random bits each.
at::Tensor make_mask(at::IntArrayRef shape, double rate) {
  constexpr double kRange = 4294967296.0;  // 2^32
  constexpr int64_t kGrain = 16384;        // pairs a thread
  const auto threshold = static_cast<uint32_t>(rate * kRange);
  const auto kept = static_cast<float>(1.0 / (1.0 - rate));
  const uint64_t key = draw_key();
  at::Tensor mask = at::empty(shape, at::kFloat);
  float* values = mask.mutable_data_ptr<float>();
  const int64_t count = mask.numel();
  at::parallel_for(0, (count + 1) / 2, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t pair = begin; pair < end; ++pair) {
      const uint64_t bits = split_mix(key + static_cast<uint64_t>(pair) * kSplitMixStep);
      values[2 * pair] = static_cast<uint32_t>(bits) < threshold ? 0.0F : kept;
      if (2 * pair + 1 < count) {
        values[2 * pair + 1] = static_cast<uint32_t>(bits >> 32) < threshold ? 0.0F : kept;
      }
    }
  });
  return mask;
}

}  // namespace

at::Tensor dropout(const at::Tensor& x, double rate) {
  if (rate <= 0) {
    return x;
  }
  if (!x.device().is_cpu()) {
    return at::dropout(x, rate, /*train=*/true);
  }
  return x * make_mask(x.sizes(), rate).to(x.scalar_type());
}

}  // namespace patchioner
