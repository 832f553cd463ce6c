// Embeddings of entity names: read, or made with a text encoder from prompts and kept (spec/04 section 4).
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace patchioner {

/// The sentences that a name is put into.
enum class EntityPrompts {
  ensemble,  ///< ViECap's seven templates; the mean of their unit vectors, brought to unit length
  single,    ///< "A photo of a NAME." ("an" before a vowel), as the encoder gives it
};

/// The sentences of one name.
std::vector<std::string> entity_prompts(const std::string& name, EntityPrompts prompts);

/// A backbone's text side, or another.
struct EntityEncoder {
  std::function<at::Tensor(std::span<const std::string> texts)> encode;  ///< [N,D] float32
  std::string fingerprint;  ///< differs when the encoder gives other vectors
};

/// [M,D] float32. Throws an Error of kind data when the encoder gives zeros or values that are not finite.
at::Tensor embed_entities(const std::vector<std::string>& names, EntityPrompts prompts,
                          const EntityEncoder& encoder);

/// The same, kept in `folder` (made when it is not there) under a digest of names, prompts and encoder, so
/// that it is computed once. A kept file that is damaged is made anew, and a folder that cannot be written is
/// done without, each with a warning.
at::Tensor cached_entity_embeddings(const std::filesystem::path& folder,
                                    const std::vector<std::string>& names, EntityPrompts prompts,
                                    const EntityEncoder& encoder);

/// [M,D] float32 from any container: the tensor `embeddings`, or the only one (the published pickles of one
/// tensor). Throws Error: io, checkpoint when there is no such tensor, data when its rows are not as many as
/// the names or a value is not finite. `names_place` is the vocabulary's file, for messages.
at::Tensor read_entity_embeddings(const std::filesystem::path& path, size_t names,
                                  const std::string& names_place);

}  // namespace patchioner
