// Which reader a file needs, told by its content.
#pragma once

#include "checkpoint/state_dict.hpp"

namespace patchioner {

/// Opens any checkpoint file. `root` as in StateDict::open; a file of tensors alone has no maps to enter,
/// there it is a name prefix.
std::shared_ptr<const TensorSource> open_source(const std::filesystem::path& path,
                                                const std::optional<std::string>& root);

}  // namespace patchioner
