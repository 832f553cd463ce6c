// Random numbers that are the same on every machine and compiler: the standard library fixes its engines but
// not its distributions. xoshiro256** (Blackman and Vigna, 2018), seeded through splitmix64.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace patchioner::emoji {

class Random {
 public:
  /// A stream of its own for every combination of keys, e.g. {seed, scene index, purpose}.
  explicit Random(std::initializer_list<uint64_t> keys) {
    uint64_t state = 0x9e3779b97f4a7c15ull;
    for (const uint64_t key : keys) {
      state = mix(state ^ key) + 0x9e3779b97f4a7c15ull;
    }
    for (uint64_t& word : state_) {
      state += 0x9e3779b97f4a7c15ull;
      word = mix(state);
    }
  }

  /// 64 random bits.
  uint64_t next() {
    const uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  /// Uniform in [0,1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// Uniform in [low,high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform in 0..count-1; count must be positive.
  int64_t below(int64_t count) { return static_cast<int64_t>(uniform() * static_cast<double>(count)); }
  bool chance(double probability) { return uniform() < probability; }

  /// Standard normal (Box and Muller).
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

  template <class T>
  const T& pick(const std::vector<T>& items) {
    return items[static_cast<size_t>(below(static_cast<int64_t>(items.size())))];
  }

  template <class T>
  void shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[static_cast<size_t>(below(static_cast<int64_t>(i)))]);
    }
  }

  /// A good 64-bit hash of one word (the finaliser of splitmix64).
  static uint64_t mix(uint64_t word) {
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9ull;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebull;
    return word ^ (word >> 31);
  }

 private:
  static uint64_t rotate(uint64_t word, int bits) { return (word << bits) | (word >> (64 - bits)); }
  std::array<uint64_t, 4> state_{};
};

}  // namespace patchioner::emoji
