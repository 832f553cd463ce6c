// The stream that PyTorch wrote before 1.6 and still writes for tensors pickled without torch.save (spec/02
// section 13.1): a magic number, a protocol number, system facts, the object, the list of storage keys - five
// pickles - and then the storages one after another.
#pragma once

#include <map>

#include "checkpoint/torch_tensors.hpp"

namespace patchioner {

/// A stream that was taken apart. `object` keeps the bytes alive.
struct TorchStream {
  PickleGraph object;
  std::map<std::string, StoragePlace, std::less<>> storages;
};

/// Whether the first pickle is the magic number.
bool looks_like_torch_stream(std::span<const std::byte> bytes);

/// Reads the five pickles and finds every storage. `name` is the file's, for messages. Throws an Error of
/// kind checkpoint.
TorchStream read_torch_stream(const ByteRange& bytes, const std::string& name);

/// The place of a storage of the stream, checked against its id; throws an Error of kind checkpoint.
StoragePlace find_in_stream(const TorchStream& stream, const StorageId& id, const std::string& name);

/// A stream whose object is one storage.
StorageInStream read_storage_stream(const ByteRange& bytes, const std::string& name);

}  // namespace patchioner
