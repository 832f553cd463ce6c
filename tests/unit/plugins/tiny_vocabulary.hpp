// A vocabulary small enough for the text towers of tests.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace patchioner {

/// A vocabulary with the 256 byte symbols of CLIP's alphabet, alone and at a word's end, one merge ("ab") and
/// the two markers: 515 ids.
inline std::filesystem::path write_vocabulary(const std::filesystem::path& folder) {
  std::string entries;
  int64_t id = 0;
  for (const char* ending : {"", "</w>"}) {
    for (int point = 0, other = 256; point < 256; ++point) {
      const bool printed = (point >= 33 && point <= 126) || (point >= 161 && point != 173);
      entries += fmt::format("\"\\u{:04x}{}\": {}, ", printed ? point : other, ending, id++);
      other += printed ? 0 : 1;
    }
  }
  std::ofstream(folder / "vocab.json")
      << '{' << entries << R"("ab</w>": 512, "<|startoftext|>": 513, "<|endoftext|>": 514})";
  std::ofstream(folder / "merges.txt") << "#version: 0.2\na b</w>\n";
  return folder / "vocab.json";
}

}  // namespace patchioner
