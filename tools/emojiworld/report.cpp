// The sentences in which trainings say what they reached.
#include <fstream>
#include <patchioner/log.hpp>

#include "commands.hpp"
#include "support/files.hpp"

namespace patchioner::emoji {

void Settings::report(const std::string& name, const std::string& sentence) const {
  log(LogLevel::info, "{}: {}", name, sentence);
  const std::filesystem::path path = work / "report.txt";
  std::string lines;
  std::ifstream old(path);
  for (std::string line; std::getline(old, line);) {
    if (!line.starts_with(name + ": ")) {
      lines += line + "\n";
    }
  }
  write_file(path, lines + name + ": " + sentence + "\n");
}

}  // namespace patchioner::emoji
