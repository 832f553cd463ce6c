#include "text/caption_text.hpp"

namespace patchioner {

std::string strip_caption(std::string_view text) {
  const size_t first = text.find_first_not_of(" .");
  if (first == std::string_view::npos) {
    return {};
  }
  return std::string(text.substr(first, text.find_last_not_of(" .") + 1 - first));
}

}  // namespace patchioner
