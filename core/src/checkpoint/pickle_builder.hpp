// Puts the graph of a pickle together, node by node, within limits that keep hostile files harmless. What the
// nodes are is settled here; in which order a pickle asks for them is the machine's business.
#pragma once

#include <fmt/format.h>

#include <patchioner/error.hpp>
#include <span>

#include "checkpoint/pickle_graph.hpp"

namespace patchioner {

/// Every function may throw an Error of kind checkpoint: for a limit that is passed, or parts that do not
/// fit.
class PickleBuilder {
 public:
  /// `name` stands in front of messages and must outlive the builder.
  PickleBuilder(const ByteRange& bytes, const std::string& name);

  /// The byte of the opcode at work, for messages.
  void set_place(size_t byte) { place_ = byte; }

  template <class... Arguments>
  [[noreturn]] void refuse(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    throw Error(ErrorKind::checkpoint, "{}: the pickle is damaged or hostile: {} (at its byte {})", name_,
                fmt::format(format, std::forward<Arguments>(arguments)...), place_);
  }

  NodeId none() const { return none_; }
  NodeId boolean(bool value) const { return value ? true_ : false_; }
  NodeId empty_tuple() const { return empty_tuple_; }

  NodeId add(NodeKind kind);
  NodeId add_integer(int64_t value);
  NodeId add_number(double value);
  /// `text` must lie in the pickle's bytes.
  NodeId add_text(NodeKind kind, std::string_view text);
  NodeId add_owned(NodeKind kind, std::string text);
  /// A text node of bytes that should be UTF-8. What is not, such as the surrogates that Python writes, is
  /// replaced by U+FFFD.
  NodeId add_unicode(std::string_view text);
  NodeId add_global(std::string_view module, std::string_view name);
  NodeId add_container(NodeKind kind, std::vector<NodeId> items);

  /// The node of a call. Maps and sets become containers, so that what follows can fill them; everything else
  /// stays opaque.
  NodeId add_call(NodeId callee, NodeId arguments, NodeId keywords = kNoNode);
  /// The storage that a ('storage', type, key, location, count) names.
  NodeId add_persistent(NodeId id);

  /// Keys and values in turn, into a dict. An object takes them too, and forgets them.
  void set_items(NodeId target, std::span<const NodeId> pairs);
  /// Items into a container of the kind `wanted`. An object takes them too, and forgets them.
  void add_items(NodeId target, std::span<const NodeId> items, NodeKind wanted);
  /// What BUILD would set. On a map it is the metadata of a state dict, which nobody reads.
  void set_state(NodeId target, NodeId state);

  const Node& operator[](NodeId id) const { return graph_.nodes_[id]; }

  PickleGraph finish(NodeId root, size_t consumed);

 private:
  Node& node(NodeId id) { return graph_.nodes_[id]; }
  void count_items(size_t count);
  void deepen(NodeId parent, NodeId child);
  std::vector<NodeId> pairs_of(NodeId list) const;

  PickleGraph graph_;
  const std::string& name_;
  size_t place_ = 0;
  size_t items_ = 0;
  size_t owned_bytes_ = 0;
  NodeId none_;
  NodeId false_;
  NodeId true_;
  NodeId empty_tuple_;
};

}  // namespace patchioner
