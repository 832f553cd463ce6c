// Which reader a file needs, told by its content.
#pragma once

#include "checkpoint/state_dict.hpp"
#include "support/files.hpp"

namespace patchioner {

/// Opens any checkpoint file. `root` as in StateDict::open; formats without maps ignore it.
std::shared_ptr<const TensorSource> open_source(const std::filesystem::path& path,
                                                const std::optional<std::string>& root);

/// The same for a file that must hold its tensors itself: no index of a sharded checkpoint.
std::shared_ptr<const TensorSource> open_single_file(std::shared_ptr<const MappedFile> file,
                                                     const std::optional<std::string>& root);

}  // namespace patchioner
