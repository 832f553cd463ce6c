#include "fuzz/mutations.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace patchioner {
namespace {

/// Lengths and counts around which checks go wrong.
constexpr std::array<uint64_t, 16> kNumbers = {
    0,          1,          2,          0x7f,       0x80,       0xff,       0x7fff,     0xffff,
    0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 1ull << 40, 1ull << 62, 1ull << 63, ~0ull};

void cut_short(std::string& bytes, Randomness& randomness) {
  bytes.resize(randomness.below(bytes.size()));
}

void flip_bit(std::string& bytes, Randomness& randomness) {
  const size_t place = randomness.below(bytes.size());
  bytes[place] = static_cast<char>(bytes[place] ^ (1 << randomness.below(8)));
}

void replace_byte(std::string& bytes, Randomness& randomness) {
  bytes[randomness.below(bytes.size())] = static_cast<char>(randomness.next());
}

/// A number of 2, 4 or 8 bytes; sometimes the one that is there, changed by little.
void replace_number(std::string& bytes, Randomness& randomness) {
  const size_t width = size_t{2} << randomness.below(3);
  if (bytes.size() < width) {
    return;
  }
  char* place = bytes.data() + randomness.below(bytes.size() - width + 1);
  uint64_t number = 0;
  std::memcpy(&number, place, width);
  switch (randomness.below(3)) {
    case 0:
      number = kNumbers[randomness.below(kNumbers.size())];
      break;
    case 1:
      number += randomness.below(9) - 4;
      break;
    default:
      number = bytes.size() + randomness.below(9) - 4;
  }
  std::memcpy(place, &number, width);
}

/// Decimal digits stand for numbers in textual formats.
void replace_digits(std::string& bytes, Randomness& randomness) {
  const size_t start = bytes.find_first_of("0123456789", randomness.below(bytes.size()));
  if (start == std::string::npos) {
    return;
  }
  const size_t end = std::min(bytes.find_first_not_of("0123456789", start), bytes.size());
  constexpr std::array<std::string_view, 8> kDecimals = {
      "0", "-1", "1", "4294967296", "9223372036854775807", "18446744073709551616", "1e999", "1.5"};
  bytes.replace(start, end - start, kDecimals[randomness.below(kDecimals.size())]);
}

void remove_range(std::string& bytes, Randomness& randomness) {
  const size_t start = randomness.below(bytes.size());
  bytes.erase(start, 1 + randomness.below(std::min<size_t>(bytes.size() - start, 32)));
}

void repeat_range(std::string& bytes, Randomness& randomness) {
  const size_t start = randomness.below(bytes.size());
  const std::string range = bytes.substr(start, 1 + randomness.below(32));
  const size_t times = 1 + randomness.below(8);
  for (size_t i = 0; i < times; ++i) {
    bytes.insert(start, range);
  }
}

void move_range(std::string& bytes, Randomness& randomness) {
  const size_t start = randomness.below(bytes.size());
  const std::string range = bytes.substr(start, 1 + randomness.below(32));
  bytes.erase(start, range.size());
  bytes.insert(randomness.below(bytes.size() + 1), range);
}

void splice(std::string& bytes, std::string_view other, Randomness& randomness) {
  const size_t start = randomness.below(other.size());
  const std::string_view range = other.substr(start, 1 + randomness.below(64));
  bytes.insert(randomness.below(bytes.size() + 1), range);
}

}  // namespace

uint64_t Randomness::next() {
  state_ += 0x9e3779b97f4a7c15;
  uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

std::string mutate(std::string_view input, std::string_view other, Randomness& randomness) {
  std::string bytes(input);
  const uint64_t changes = 1 + randomness.below(4);
  for (uint64_t i = 0; i < changes && !bytes.empty(); ++i) {
    switch (randomness.below(10)) {
      case 0:
        cut_short(bytes, randomness);
        break;
      case 1:
      case 2:
        flip_bit(bytes, randomness);
        break;
      case 3:
        replace_byte(bytes, randomness);
        break;
      case 4:
      case 5:
        replace_number(bytes, randomness);
        break;
      case 6:
        replace_digits(bytes, randomness);
        break;
      case 7:
        remove_range(bytes, randomness);
        break;
      case 8:
        randomness.below(2) == 0 ? repeat_range(bytes, randomness) : move_range(bytes, randomness);
        break;
      default:
        splice(bytes, other, randomness);
    }
  }
  return bytes;
}

}  // namespace patchioner
