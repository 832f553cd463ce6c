// Which well-known model's names a checkpoint carries (spec/02 section 12, spec/03 section 1).
#pragma once

#include <string>
#include <vector>

namespace patchioner {

/// A few words that name the layout ("a Hugging Face CLIP model", "official DINOv2 weights"), or empty when
/// the names are not known.
std::string guess_layout(const std::vector<std::string>& names);

}  // namespace patchioner
