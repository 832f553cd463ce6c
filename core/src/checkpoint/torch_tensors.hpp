// Which nodes of a pickle are tensors, and where their elements lie (spec/02 sections 13.2 and 13.3).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "checkpoint/pickle_graph.hpp"
#include "checkpoint/zip_archive.hpp"

namespace patchioner {

/// A storage that a persistent id names.
struct StorageId {
  at::ScalarType dtype = at::kFloat;
  std::string key;
  int64_t elements = 0;       ///< of the whole storage
  int64_t window_offset = 0;  ///< files before 1.6: a window into it
  int64_t window_elements = 0;
};

/// Where the bytes of a storage lie: an entry of an archive, or bytes at hand.
struct StoragePlace {
  const ZipEntry* entry = nullptr;
  ByteRange bytes;
  uint64_t size = 0;  ///< bytes
};

/// A tensor that can be read.
struct TensorRecord {
  StridedView view;
  StoragePlace place;
};

/// What a node turned out to be: a tensor, an unreadable thing (with the words for it), or something that is
/// neither.
struct Resolved {
  std::optional<TensorRecord> tensor;
  std::string unreadable;
};

/// A storage that lies in bytes of its own.
struct StorageInStream {
  std::optional<at::ScalarType> dtype;  ///< nothing when it is not read
  StoragePlace place;
  std::string unreadable;
};

/// Finds storages by id; throws an Error of kind checkpoint when there is none or it has another size.
using FindStorage = std::function<StoragePlace(const StorageId&)>;

/// The storage that a persistent node names, or the words for why its type is not read in `unreadable`.
/// Throws when the id is malformed.
std::optional<StorageId> storage_id(const PickleGraph& graph, NodeId persistent, const std::string& name,
                                    std::string& unreadable);

/// The words for an object that is no tensor: "an object of the class 'argparse.Namespace'".
std::string object_words(const PickleGraph& graph, NodeId node);

/// Turns nodes of one graph into tensors. [one-thread]
class TensorResolver {
 public:
  /// `name` is the file's, for messages.
  TensorResolver(const PickleGraph& graph, FindStorage find_storage, std::string name)
      : graph_(graph), find_storage_(std::move(find_storage)), name_(std::move(name)) {}

  /// What `node` is; `tensor_name` stands in messages. Throws an Error of kind checkpoint for a tensor that
  /// contradicts itself or its storage; a tensor of a kind that is not read is `unreadable`.
  Resolved resolve(NodeId node, const std::string& tensor_name);

 private:
  Resolved resolve_rebuild(const std::vector<NodeId>& arguments, const std::string& tensor_name);
  Resolved resolve_array(NodeId node, const std::string& tensor_name);
  const StorageInStream& storage_in_bytes(NodeId node);
  /// The bytes that a bytes node, a Python 2 string, or `_codecs.encode(text, 'latin1')` stands for, or
  /// nothing.
  std::optional<ByteRange> bytes_of(NodeId node);
  std::optional<ByteRange> decoded(NodeId text, bool (*decode)(std::string_view, std::string&));

  const PickleGraph& graph_;
  FindStorage find_storage_;
  std::string name_;
  // Decoded or read once for each node, so that a node that is used a million times costs no more than one.
  std::map<NodeId, ByteRange> decoded_;
  std::map<NodeId, StorageInStream> streams_;
};

}  // namespace patchioner
