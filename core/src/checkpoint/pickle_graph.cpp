#include "checkpoint/pickle_graph.hpp"

#include <algorithm>

namespace patchioner {

bool PickleGraph::in_source(std::string_view text) const {
  const auto* start = reinterpret_cast<const char*>(source_.bytes.data());
  return std::less_equal<>()(start, text.data()) &&
         std::less_equal<>()(text.data() + text.size(), start + source_.bytes.size());
}

std::string PickleGraph::qualified_name(NodeId id) const {
  if (is(id, NodeKind::object)) {
    id = nodes_[id].callee;
  }
  if (!is(id, NodeKind::global)) {
    return {};
  }
  std::string name(nodes_[id].text);
  std::replace(name.begin(), name.end(), '\n', '.');
  return name;
}

NodeId PickleGraph::find(NodeId dict, std::string_view key) const {
  if (!is(dict, NodeKind::dict)) {
    return kNoNode;
  }
  NodeId found = kNoNode;
  const std::vector<NodeId>& items = nodes_[dict].items;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (nodes_[items[i]].kind == NodeKind::text && nodes_[items[i]].text == key) {
      found = items[i + 1];
    }
  }
  return found;
}

}  // namespace patchioner
