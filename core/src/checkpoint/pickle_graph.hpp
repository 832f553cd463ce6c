// What a pickle describes, without making any of it: a flat list of nodes. Nothing is ever imported, called
// or executed; a call that the pickle asks for stays a node that names the callable and holds its arguments
// (spec/02 section 13.2).
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/tensor_bytes.hpp"

namespace patchioner {

/// Place of a node in its graph.
using NodeId = uint32_t;
constexpr NodeId kNoNode = 0xffffffff;

enum class NodeKind : uint8_t {
  none,
  boolean,
  integer,
  big_integer,  ///< `text` holds its little-endian two's complement bytes
  number,
  text,
  bytes,
  list,
  tuple,
  set,
  dict,        ///< `items` holds key, value, key, value ...
  global,      ///< `text` is "module\nname"
  object,      ///< what calling `callee` with `items` would give; `state` is what BUILD would set
  persistent,  ///< a storage outside of the pickle; `items` is its one id tuple
};

struct Node {
  NodeKind kind = NodeKind::none;
  uint32_t depth = 0;  ///< levels of containers below
  NodeId callee = kNoNode;
  NodeId state = kNoNode;
  union {
    int64_t integer = 0;  ///< integer, boolean
    double number;
  };
  std::string_view text;
  std::vector<NodeId> items;
};

/// All nodes of one pickle. Nodes refer to one another by number, so that freeing the deepest structure is
/// freeing a vector, and cycles are harmless. Texts point into the pickle's bytes, which the graph keeps
/// alive.
class PickleGraph {
 public:
  const Node& operator[](NodeId id) const { return nodes_[id]; }
  size_t size() const { return nodes_.size(); }
  NodeId root() const { return root_; }
  /// Bytes of the pickle up to and with its end.
  size_t consumed() const { return consumed_; }

  bool is(NodeId id, NodeKind kind) const { return id != kNoNode && nodes_[id].kind == kind; }

  /// What keeps the pickle's bytes alive.
  const std::shared_ptr<const void>& owner() const { return source_.owner; }

  /// Whether a node's text lies in the pickle's bytes, and lives as long as owner(); otherwise it lives as
  /// long as the graph.
  bool in_source(std::string_view text) const;

  /// "module.name" of a global, or of an object's callable; empty for everything else.
  std::string qualified_name(NodeId id) const;

  /// The value under a text key of a dict (the last one wins), or kNoNode.
  NodeId find(NodeId dict, std::string_view key) const;

 private:
  friend class PickleBuilder;
  std::vector<Node> nodes_;
  std::deque<std::string> owned_;  // texts that do not stand in the pickle as they are
  ByteRange source_;
  NodeId root_ = kNoNode;
  size_t consumed_ = 0;
};

/// Runs one pickle from the start of `bytes`. `name` stands in front of messages ("weights.pth: data.pkl").
/// Memory stays in proportion to the bytes, and is limited. Throws an Error of kind checkpoint for everything
/// that is not a complete pickle of known opcodes.
PickleGraph read_pickle(const ByteRange& bytes, const std::string& name);

}  // namespace patchioner
