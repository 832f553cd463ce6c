#include "results/display_width.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "support/utf8.hpp"

namespace patchioner {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

constexpr std::array<Range, 8> kNoWidth = {{{0x0300, 0x036f},
                                            {0x0483, 0x0489},
                                            {0x1ab0, 0x1aff},
                                            {0x1dc0, 0x1dff},
                                            {0x200b, 0x200f},
                                            {0x20d0, 0x20ff},
                                            {0xfe00, 0xfe0f},
                                            {0xfe20, 0xfe2f}}};
constexpr std::array<Range, 13> kWide = {{{0x1100, 0x115f},
                                          {0x2e80, 0x303e},
                                          {0x3041, 0x33ff},
                                          {0x3400, 0x4dbf},
                                          {0x4e00, 0x9fff},
                                          {0xa000, 0xa4cf},
                                          {0xac00, 0xd7a3},
                                          {0xf900, 0xfaff},
                                          {0xfe30, 0xfe6f},
                                          {0xff00, 0xff60},
                                          {0xffe0, 0xffe6},
                                          {0x1f300, 0x1faff},
                                          {0x20000, 0x3fffd}}};

bool is_in(char32_t letter, std::span<const Range> ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& range) { return letter >= range.first && letter <= range.last; });
}

}  // namespace

size_t display_width(std::string_view utf8) {
  size_t width = 0;
  for (const char32_t letter : decode_utf8(utf8)) {
    width += is_in(letter, kNoWidth) ? 0 : is_in(letter, kWide) ? 2 : 1;
  }
  return width;
}

}  // namespace patchioner
