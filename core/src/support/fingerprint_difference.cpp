#include "support/fingerprint_difference.hpp"

#include <fmt/ranges.h>

#include <vector>

namespace patchioner {
namespace {

struct Part {
  std::string_view name;
  std::string_view value;
};

std::vector<Part> parts_of(std::string_view fingerprint) {
  std::vector<Part> parts;
  while (!fingerprint.empty()) {
    const std::string_view part = fingerprint.substr(0, fingerprint.find(','));
    fingerprint.remove_prefix(std::min(part.size() + 1, fingerprint.size()));
    const size_t mark = part.find_first_of(":=");
    parts.push_back(mark == std::string_view::npos ? Part{"", part}
                                                   : Part{part.substr(0, mark), part.substr(mark + 1)});
  }
  return parts;
}

}  // namespace

std::string fingerprint_difference(std::string_view there, std::string_view here) {
  const std::vector<Part> left = parts_of(there);
  const std::vector<Part> right = parts_of(here);
  bool alike = left.size() == right.size();
  std::vector<std::string> differences;
  for (size_t i = 0; alike && i < left.size(); ++i) {
    alike = left[i].name == right[i].name && !left[i].name.empty();
    if (left[i].value != right[i].value) {
      differences.push_back(fmt::format("{} {} there, {} here", left[i].name, left[i].value, right[i].value));
    }
  }
  if (!alike) {
    return fmt::format("{} there, {} here", there, here);
  }
  return fmt::format("{}", fmt::join(differences, "; "));
}

}  // namespace patchioner
