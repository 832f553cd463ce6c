// SplitMix64 (Steele, Lea and Flood 2014): well-mixed bits of a counter.
#pragma once

#include <cstdint>

namespace patchioner {

/// What the generator's counter advances by: the odd number nearest to 2^64 divided by the golden ratio.
constexpr uint64_t kSplitMixStep = 0x9e3779b97f4a7c15;

/// The generator's output for a counter.
constexpr uint64_t split_mix(uint64_t counter) {
  counter = (counter ^ (counter >> 30)) * 0xbf58476d1ce4e5b9;
  counter = (counter ^ (counter >> 27)) * 0x94d049bb133111eb;
  return counter ^ (counter >> 31);
}

}  // namespace patchioner
