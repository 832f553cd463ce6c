// Deterministic damage: the same seed gives the same bytes on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace patchioner {

/// A small generator of pseudo-random numbers (SplitMix64, Steele et al. 2014).
class Randomness {
 public:
  explicit Randomness(uint64_t seed) : state_(seed) {}
  uint64_t next();
  /// In [0, bound); 0 when the bound is 0.
  uint64_t below(uint64_t bound) { return bound == 0 ? 0 : next() % bound; }

 private:
  uint64_t state_;
};

/// `input` with one to four changes: cut short, bits flipped, bytes and little-endian numbers replaced by
/// ones that parsers stumble over, ranges removed, repeated, moved, or taken from `other`.
std::string mutate(std::string_view input, std::string_view other, Randomness& randomness);

}  // namespace patchioner
