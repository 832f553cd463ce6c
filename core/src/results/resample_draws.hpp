// Which items a resample of the bootstrap has.
#pragma once

#include <cstdint>

#include "support/split_mix.hpp"

namespace patchioner {

/// Draws with replacement among items, as many as there are items make a resample. Which ones follows from
/// the seed, the number of the resample and the number of items alone, so that rows with as many items are
/// judged by the same draws. Each word gives two of them: 32 bits choose evenly enough among the items of any
/// test set.
class ResampleDraws {
 public:
  ResampleDraws(uint64_t items, int64_t resample, uint64_t seed)
      : items_(items), counter_(split_mix(seed + kSplitMixStep * static_cast<uint64_t>(resample + 1))) {}

  /// Indices of items.
  struct Two {
    uint64_t first = 0;
    uint64_t second = 0;
  };
  Two next_two() {
    const uint64_t word = split_mix(counter_ += kSplitMixStep);
    return {((word >> 32) * items_) >> 32, ((word & 0xffffffff) * items_) >> 32};
  }

 private:
  uint64_t items_;
  uint64_t counter_;
};

}  // namespace patchioner
