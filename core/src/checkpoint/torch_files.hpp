// What torch.save and torch.jit.save write, and plain pickles: opened, with all tensors found and checked,
// none read.
#pragma once

#include "checkpoint/pickle_graph.hpp"
#include "checkpoint/state_dict.hpp"
#include "support/files.hpp"

namespace patchioner {

/// A zip archive with data.pkl (spec/02 section 13.1). Throws an Error of kind checkpoint.
std::shared_ptr<const TensorSource> open_torch_zip(std::shared_ptr<const MappedFile> file,
                                                   const std::optional<std::string>& root);

/// The stream of PyTorch before 1.6.
std::shared_ptr<const TensorSource> open_torch_stream(std::shared_ptr<const MappedFile> file,
                                                      const std::optional<std::string>& root);

/// Whether the bytes look like a pickle and nothing else.
bool looks_like_pickle(std::span<const std::byte> bytes);

/// A pickle of NumPy arrays (detectron2) or of tensors pickled without torch.save.
std::shared_ptr<const TensorSource> open_pickle(std::shared_ptr<const MappedFile> file,
                                                const std::optional<std::string>& root);

/// The one pickle of a plain pickle file, of a torch archive or of an old stream, for what is no tensor in
/// it.
std::shared_ptr<const PickleGraph> open_object(const std::filesystem::path& path);

}  // namespace patchioner
