// What a language model reads before it speaks.
#pragma once

#include <string>

namespace patchioner {

/// Soft prompt and hard prompt, in this order.
enum class PromptLayout { soft_first, hard_first, only_hard, no_hard };

/// Of "soft_first", "hard_first", "only_hard" or "no_hard"; anything else is an Error of kind config.
PromptLayout prompt_layout(const std::string& name);

}  // namespace patchioner
