// Captions out of spoken English sentences by rules: what the trace benchmark does where no language model is
// at hand.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace patchioner {

/// "In this image I can see a dog which is running." -> "A dog running." Strips fillers, what a narrator says
/// about seeing and about places in the picture, and what links to it. Nothing for a sentence that shows
/// nothing: one about the picture itself ("The image is blurred."), an opinion, an exclamation.
std::optional<std::string> caption_by_rules(std::string_view sentence);

}  // namespace patchioner
