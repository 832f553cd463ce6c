#include "checkpoint/torch_stream.hpp"

#include <cstring>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

/// 0x1950a86a20f9469cfc6c, little-endian, as PROTO 2, LONG1 10 writes it.
constexpr std::string_view kMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr size_t kMagicAt = 4;

constexpr int64_t kStreamProtocol = 1001;

}  // namespace

bool looks_like_torch_stream(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.size() > kMagicAt && text[0] == '\x80' && text.substr(kMagicAt).starts_with(kMagic);
}

TorchStream read_torch_stream(const ByteRange& bytes, const std::string& name) {
  size_t position = 0;
  const auto next_pickle = [&](const char* what) {
    const ByteRange rest{bytes.bytes.subspan(position), bytes.owner};
    PickleGraph graph = read_pickle(rest, fmt::format("{}: {} of the stream", name, what));
    position += graph.consumed();
    return graph;
  };
  const auto refuse = [&](const std::string& what) {
    return Error(ErrorKind::checkpoint, "{}: damaged stream of PyTorch before 1.6: {}", name, what);
  };

  next_pickle("the magic number");
  const PickleGraph protocol = next_pickle("the protocol");
  if (!protocol.is(protocol.root(), NodeKind::integer) ||
      protocol[protocol.root()].integer != kStreamProtocol) {
    throw refuse("its protocol is not 1001");
  }
  const PickleGraph system = next_pickle("the system facts");
  const NodeId order = system.find(system.root(), "little_endian");
  if (!system.is(order, NodeKind::boolean) || system[order].integer == 0) {
    throw refuse("it was written on a big-endian machine, which is not read");
  }
  TorchStream stream{next_pickle("the object"), {}};
  const PickleGraph keys = next_pickle("the list of storages");
  if (!keys.is(keys.root(), NodeKind::list)) {
    throw refuse("it has no list of storages");
  }

  // The storages do not say their type: that stands where the object refers to them.
  struct Reference {
    size_t element_size = 0;
    int64_t elements = 0;
  };
  std::map<std::string, Reference, std::less<>> references;
  for (NodeId id = 0; id < stream.object.size(); ++id) {
    std::string unreadable;
    if (!stream.object.is(id, NodeKind::persistent)) {
      continue;
    }
    const auto storage = storage_id(stream.object, id, name, unreadable);
    if (!storage) {
      throw refuse("it holds " + unreadable + ", so the storages behind cannot be found");
    }
    const Reference reference{at::elementSize(storage->dtype), storage->elements};
    const auto [known, added] = references.emplace(storage->key, reference);
    if (!added && (known->second.element_size != reference.element_size ||
                   known->second.elements != reference.elements)) {
      throw refuse(fmt::format("storage '{}' is said to have two different sizes", storage->key));
    }
  }
  for (const NodeId key_node : keys[keys.root()].items) {
    const std::string key = keys[key_node].kind == NodeKind::integer ? std::to_string(keys[key_node].integer)
                                                                     : std::string(keys[key_node].text);
    const auto reference = references.find(key);
    if (reference == references.end()) {
      throw refuse(fmt::format("storage '{}' is used by nothing, so its type is not known", key));
    }
    int64_t elements = 0;
    if (bytes.bytes.size() - position < sizeof elements) {
      throw refuse(fmt::format("it is cut short before storage '{}'", key));
    }
    std::memcpy(&elements, bytes.bytes.data() + position, sizeof elements);
    position += sizeof elements;
    if (elements != reference->second.elements) {
      throw refuse(fmt::format("storage '{}' has {} elements where {} were announced", key, elements,
                               reference->second.elements));
    }
    const uint64_t item_size = reference->second.element_size;
    if (static_cast<uint64_t>(elements) > (bytes.bytes.size() - position) / item_size) {
      throw refuse(fmt::format("it is cut short within storage '{}'; fetch or write the file again", key));
    }
    const uint64_t size = static_cast<uint64_t>(elements) * item_size;
    if (!stream.storages
             .emplace(key, StoragePlace{nullptr, {bytes.bytes.subspan(position, size), bytes.owner}, size})
             .second) {
      throw refuse(fmt::format("storage '{}' stands twice in the list", key));
    }
    position += size;
  }
  return stream;
}

StoragePlace find_in_stream(const TorchStream& stream, const StorageId& id, const std::string& name) {
  const auto found = stream.storages.find(id.key);
  if (found == stream.storages.end()) {
    throw Error(ErrorKind::checkpoint, "{}: storage '{}' is not in the file", name, id.key);
  }
  const uint64_t item_size = at::elementSize(id.dtype);
  StoragePlace place = found->second;
  const uint64_t start = static_cast<uint64_t>(id.window_offset) * item_size;
  place.size = static_cast<uint64_t>(id.window_elements) * item_size;
  place.bytes.bytes = place.bytes.bytes.subspan(start, place.size);
  return place;
}

StorageInStream read_storage_stream(const ByteRange& bytes, const std::string& name) {
  StorageInStream storage;
  if (!looks_like_torch_stream(bytes.bytes)) {
    storage.unreadable = "a storage in a form that is not read";
    return storage;
  }
  const TorchStream stream = read_torch_stream(bytes, name);
  if (!stream.object.is(stream.object.root(), NodeKind::persistent)) {
    storage.unreadable = "a storage in a form that is not read";
    return storage;
  }
  const auto id = storage_id(stream.object, stream.object.root(), name, storage.unreadable);
  if (id) {
    storage.dtype = id->dtype;
    storage.place = find_in_stream(stream, *id, name);
  }
  return storage;
}

}  // namespace patchioner
