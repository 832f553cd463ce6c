#include "support/printable.hpp"

namespace patchioner {

std::string printable(std::string_view text) {
  const auto byte_at = [&](size_t place) {
    return place < text.size() ? static_cast<unsigned char>(text[place]) : 0;
  };
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    // U+0080 to U+009F, two bytes in UTF-8, are control characters too: U+009B begins an escape sequence.
    const bool wide = byte_at(i) == 0xc2 && byte_at(i + 1) >= 0x80 && byte_at(i + 1) < 0xa0;
    const bool control = wide || byte_at(i) < 0x20 || byte_at(i) == 0x7f;
    result.push_back(control ? '?' : text[i]);
    i += wide ? 1 : 0;
  }
  return result;
}

}  // namespace patchioner
