#include "config/paths.hpp"

#include <cstdlib>

namespace patchioner {

std::string resolve_path(const Value& text) {
  const std::string& path = text.as_text();
  if (path.empty() || path.starts_with("hf:")) {
    return path;
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && path.starts_with("~/")) {
    return (std::filesystem::path(home) / path.substr(2)).lexically_normal().string();
  }
  // "command line", "default", "environment variable X" and the names of texts in memory have no folder,
  // which leaves the current one.
  const std::filesystem::path folder = std::filesystem::path(text.origin().file).parent_path();
  return std::filesystem::absolute(folder / path).lexically_normal().string();
}

}  // namespace patchioner
