// The part of Windows-1252 that differs from Latin-1.
#pragma once

#include <array>

namespace patchioner {

/// Characters of the bytes 0x80 to 0x9F; the five that Windows-1252 leaves open keep their own value (WHATWG
/// Encoding Standard).
constexpr std::array<char32_t, 32> kWindows1252 = {
    0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
    0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178};

/// U+0080 to U+009F read as Windows-1252; every other character is returned as it is.
constexpr char32_t from_c1_control(char32_t code_point) {
  return code_point >= 0x80 && code_point <= 0x9f ? kWindows1252[code_point - 0x80] : code_point;
}

}  // namespace patchioner
