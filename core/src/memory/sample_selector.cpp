#include "memory/sample_selector.hpp"

#include <algorithm>

namespace patchioner {

SampleSelector::SampleSelector(uint64_t count, uint64_t size, uint64_t seed)
    : random_(seed), left_(count), wanted_(std::min(count, size)) {}

/// Uniform in [0, bound). Written out, since the standard leaves open what its distributions draw.
uint64_t SampleSelector::below(uint64_t bound) {
  const uint64_t unfair = (~uint64_t{0} - bound + 1) % bound;  // 2^64 mod bound
  uint64_t drawn = random_();
  while (drawn < unfair) {
    drawn = random_();
  }
  return drawn % bound;
}

bool SampleSelector::next() {
  if (left_ == 0) {
    return false;
  }
  const bool taken = below(left_--) < wanted_;
  wanted_ -= taken ? 1 : 0;
  return taken;
}

}  // namespace patchioner
