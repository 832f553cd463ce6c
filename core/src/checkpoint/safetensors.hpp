// The safetensors format (spec/02 section 13.4): eight bytes of header length, a JSON header, one buffer.
#pragma once

#include <memory>

#include "checkpoint/state_dict.hpp"
#include "support/files.hpp"

namespace patchioner {

/// Whether the bytes look like a safetensors file: a length, then '{'.
bool looks_like_safetensors(std::span<const std::byte> bytes);

/// Checks the whole header against every rule of the format and gives the tensors in the header's order. They
/// share the mapping. Throws an Error of kind checkpoint.
std::shared_ptr<const TensorSource> open_safetensors(std::shared_ptr<const MappedFile> file);

/// What stands before the data: the length of the header and the header, `json` padded with spaces so that
/// the data begins at a multiple of 64 bytes and can be used in place.
std::string safetensors_header(std::string json);

/// "F32", "BF16" ... ; throws an Error of kind checkpoint for a type that the format has no word for here.
std::string_view safetensors_dtype(at::ScalarType dtype);

}  // namespace patchioner
