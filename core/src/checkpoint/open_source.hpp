// Which reader a file needs, told by its content.
#pragma once

#include "checkpoint/state_dict.hpp"

namespace patchioner {

/// Opens any checkpoint file. `root` as in StateDict::open; formats without maps ignore it.
std::shared_ptr<const TensorSource> open_source(const std::filesystem::path& path,
                                                const std::optional<std::string>& root);

}  // namespace patchioner
