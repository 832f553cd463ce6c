// What of a data set decides its captions, and what their scores, wherever it was read from.
#pragma once

#include <string>

#include "data/dataset.hpp"

namespace patchioner {

/// SHA-256 of which regions there are, of which images and in which order.
std::string regions_digest(const Dataset& dataset);

/// SHA-256 of what is said of them: references, and the corners and keys that results copy.
std::string references_digest(const Dataset& dataset);

}  // namespace patchioner
