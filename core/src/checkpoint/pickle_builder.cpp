#include "checkpoint/pickle_builder.hpp"

#include <algorithm>

#include "support/utf8.hpp"

namespace patchioner {
namespace {

/// Containers within containers. Real files stay below 20; deeper ones serve to break readers.
constexpr uint32_t kMostDepth = 10'000;

/// A training set of 600,000 captions with embeddings has some 4 million nodes.
constexpr size_t kMostNodes = 8'000'000;

/// Places in containers. Remembered containers can be copied again and again, so this is counted apart from
/// the nodes.
constexpr size_t kMostItems = 4 * kMostNodes;

/// Bytes of names and texts that had to be put together.
constexpr size_t kMostOwnedBytes = size_t{1} << 28;

}  // namespace

PickleBuilder::PickleBuilder(const ByteRange& bytes, const std::string& name) : name_(name) {
  graph_.source_ = bytes;
  none_ = add(NodeKind::none);
  false_ = add(NodeKind::boolean);
  true_ = add(NodeKind::boolean);
  node(true_).integer = 1;
  empty_tuple_ = add(NodeKind::tuple);
}

NodeId PickleBuilder::add(NodeKind kind) {
  if (graph_.nodes_.size() >= kMostNodes) {
    refuse("it describes more than {} objects", kMostNodes);
  }
  graph_.nodes_.emplace_back().kind = kind;
  return static_cast<NodeId>(graph_.nodes_.size() - 1);
}

NodeId PickleBuilder::add_integer(int64_t value) {
  const NodeId id = add(NodeKind::integer);
  node(id).integer = value;
  return id;
}

NodeId PickleBuilder::add_number(double value) {
  const NodeId id = add(NodeKind::number);
  node(id).number = value;
  return id;
}

NodeId PickleBuilder::add_text(NodeKind kind, std::string_view text) {
  const NodeId id = add(kind);
  node(id).text = text;
  return id;
}

NodeId PickleBuilder::add_owned(NodeKind kind, std::string text) {
  owned_bytes_ += text.size();
  if (owned_bytes_ > kMostOwnedBytes) {
    refuse("its names take more than {} bytes", kMostOwnedBytes);
  }
  return add_text(kind, graph_.owned_.emplace_back(std::move(text)));
}

NodeId PickleBuilder::add_unicode(std::string_view text) {
  return first_ill_formed_utf8(text) == std::string_view::npos
             ? add_text(NodeKind::text, text)
             : add_owned(NodeKind::text, well_formed_utf8(text));
}

NodeId PickleBuilder::add_global(std::string_view module, std::string_view name) {
  return add_owned(NodeKind::global, fmt::format("{}\n{}", module, name));
}

void PickleBuilder::count_items(size_t count) {
  items_ += count;
  if (items_ > kMostItems) {
    refuse("its containers hold more than {} items", kMostItems);
  }
}

NodeId PickleBuilder::add_container(NodeKind kind, std::vector<NodeId> items) {
  count_items(items.size());
  const NodeId id = add(kind);
  for (const NodeId item : items) {
    deepen(id, item);
  }
  node(id).items = std::move(items);
  return id;
}

/// Notes that `child` lies in `parent`. With cycles this is a lower bound; nothing that walks graphs relies
/// on it.
void PickleBuilder::deepen(NodeId parent, NodeId child) {
  uint32_t& depth = node(parent).depth;
  depth = std::max(depth, node(child).depth + 1);
  if (depth > kMostDepth) {
    refuse("it nests containers more than {} levels deep", kMostDepth);
  }
}

NodeId PickleBuilder::add_call(NodeId callee, NodeId arguments, NodeId keywords) {
  if (node(arguments).kind != NodeKind::tuple) {
    refuse("a call has no tuple of arguments");
  }
  const std::string name =
      node(callee).kind == NodeKind::global ? graph_.qualified_name(callee) : std::string();
  const std::vector<NodeId> items = node(arguments).items;
  if (name == "collections.OrderedDict" || name == "builtins.dict" || name == "__builtin__.dict") {
    return add_container(NodeKind::dict, items.empty() ? std::vector<NodeId>{} : pairs_of(items[0]));
  }
  if (name == "builtins.set" || name == "__builtin__.set" || name == "builtins.frozenset" ||
      name == "__builtin__.frozenset") {
    return add_container(NodeKind::set, items.empty() ? std::vector<NodeId>{} : node(items[0]).items);
  }
  const NodeId object = add_container(NodeKind::object, items);
  node(object).callee = callee;
  deepen(object, callee);
  if (keywords != kNoNode) {
    deepen(object, keywords);
  }
  return object;
}

/// Keys and values of a list of pairs, or of a map.
std::vector<NodeId> PickleBuilder::pairs_of(NodeId list) const {
  const Node& pairs = (*this)[list];
  if (pairs.kind == NodeKind::dict) {
    return pairs.items;
  }
  std::vector<NodeId> flat;
  for (const NodeId id : pairs.items) {
    const Node& pair = (*this)[id];
    if (pair.items.size() != 2) {
      refuse("a map is made of something that is no list of pairs");
    }
    flat.insert(flat.end(), pair.items.begin(), pair.items.end());
  }
  return flat;
}

NodeId PickleBuilder::add_persistent(NodeId id) {
  const Node& tuple = node(id);
  const bool named =
      tuple.kind == NodeKind::tuple && !tuple.items.empty() && node(tuple.items[0]).kind == NodeKind::text;
  const std::string_view what = named ? node(tuple.items[0]).text : std::string_view();
  if (what == "module") {
    throw Error(
        ErrorKind::checkpoint,
        "{}: this is a whole pickled Python module; load it in Python and save its state_dict() instead",
        name_);
  }
  if (what != "storage" || tuple.items.size() < 5 || tuple.items.size() > 6) {
    refuse("a persistent id is no ('storage', type, key, location, count)");
  }
  return add_container(NodeKind::persistent, {id});
}

void PickleBuilder::set_items(NodeId target, std::span<const NodeId> pairs) {
  if (pairs.size() % 2 != 0) {
    refuse("a map gets a key without a value");
  }
  if (node(target).kind != NodeKind::dict && node(target).kind != NodeKind::object) {
    refuse("keys and values are put into something that is no map");
  }
  add_items(target, pairs, NodeKind::dict);
}

void PickleBuilder::add_items(NodeId target, std::span<const NodeId> items, NodeKind wanted) {
  if (node(target).kind == NodeKind::object) {
    return;
  }
  if (node(target).kind != wanted) {
    refuse("items are added to something that does not take them");
  }
  count_items(items.size());
  for (const NodeId item : items) {
    deepen(target, item);
    node(target).items.push_back(item);
  }
}

void PickleBuilder::set_state(NodeId target, NodeId state) {
  if (node(target).kind == NodeKind::object) {
    node(target).state = state;
    deepen(target, state);
  }
}

PickleGraph PickleBuilder::finish(NodeId root, size_t consumed) {
  graph_.root_ = root;
  graph_.consumed_ = consumed;
  return std::move(graph_);
}

}  // namespace patchioner
