#include "decoding/prompt_layout.hpp"

#include <patchioner/error.hpp>
#include <utility>
#include <vector>

namespace patchioner {

PromptLayout prompt_layout(const std::string& name) {
  static const std::vector<std::pair<std::string, PromptLayout>> kNames = {
      {"soft_first", PromptLayout::soft_first},
      {"hard_first", PromptLayout::hard_first},
      {"only_hard", PromptLayout::only_hard},
      {"no_hard", PromptLayout::no_hard}};
  for (const auto& [known, layout] : kNames) {
    if (known == name) {
      return layout;
    }
  }
  throw Error(ErrorKind::config, "the layout '{}' is none of soft_first, hard_first, only_hard and no_hard",
              name);
}

}  // namespace patchioner
