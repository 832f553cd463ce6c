#include "support/byte_size.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

struct Unit {
  std::string_view name;  ///< in small letters
  double bytes;
};

constexpr std::array kUnits = {Unit{"", 1},
                               Unit{"b", 1},
                               Unit{"kb", 1e3},
                               Unit{"mb", 1e6},
                               Unit{"gb", 1e9},
                               Unit{"tb", 1e12},
                               Unit{"kib", 1024.0},
                               Unit{"mib", 1024.0 * 1024},
                               Unit{"gib", 1024.0 * 1024 * 1024},
                               Unit{"tib", 1024.0 * 1024 * 1024 * 1024}};

std::string_view without_spaces_around(std::string_view text) {
  constexpr std::string_view kSpaces = " \t";
  const size_t first = text.find_first_not_of(kSpaces);
  return first == text.npos ? "" : text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

}  // namespace

uint64_t parse_bytes(std::string_view text) {
  const std::string_view word = without_spaces_around(text);
  double number = 0;
  const auto [end, error] =
      std::from_chars(word.data(), word.data() + word.size(), number, std::chars_format::fixed);
  std::string name(
      without_spaces_around(word.substr(error == std::errc() ? static_cast<size_t>(end - word.data()) : 0)));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto unit =
      std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& one) { return one.name == name; });
  if (error != std::errc() || unit == kUnits.end() || !std::isfinite(number) || std::signbit(number)) {
    throw Error(ErrorKind::usage,
                "'{}' is no size; write a number and B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 10GB",
                text);
  }
  const double bytes = number * unit->bytes;
  if (bytes >= static_cast<double>(std::numeric_limits<uint64_t>::max())) {
    throw Error(ErrorKind::usage, "'{}' is more than any disk holds; write a size such as 10GB", text);
  }
  return static_cast<uint64_t>(std::llround(bytes));
}

std::string format_bytes(uint64_t bytes) {
  constexpr std::array kNames = {"kB", "MB", "GB", "TB", "PB", "EB"};
  constexpr double kRoundsUp = 999.95;  // from here on one digit behind the point says 1000.0
  if (bytes < 1000) {
    return fmt::format("{} B", bytes);
  }
  double number = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  while (number >= kRoundsUp) {
    number /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", number, kNames[unit]);
}

}  // namespace patchioner
