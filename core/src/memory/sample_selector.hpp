// A reproducible random sample of a stream.
#pragma once

#include <cstdint>
#include <random>

namespace patchioner {

/// Says for the places 0, 1, ... of [0, count), one after the other, which of them a sample of `size` without
/// replacement takes: selection sampling (Knuth, The Art of Computer Programming, 3.4.2, algorithm S) on the
/// 64-bit Mersenne Twister. The same on every machine. [one-thread]
class SampleSelector {
 public:
  SampleSelector(uint64_t count, uint64_t size, uint64_t seed);

  /// Whether the next place is taken; false behind the last one.
  bool next();

 private:
  uint64_t below(uint64_t bound);
  std::mt19937_64 random_;
  uint64_t left_;    ///< places not yet asked for
  uint64_t wanted_;  ///< places still to take
};

}  // namespace patchioner
