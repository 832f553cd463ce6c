#include "checkpoint/torch_tree.hpp"

#include <patchioner/error.hpp>
#include <unordered_map>

#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

/// The maps that training scripts keep the weights under.
constexpr std::string_view kWrapperMaps[] = {"state_dict", "model"};

/// Maps within maps; a pickle can refer to one map from many places, so the number of visits is limited too.
constexpr size_t kMostLevels = 100;
constexpr size_t kMostVisits = 4'000'000;

/// The layout shows this many levels and entries.
constexpr size_t kLayoutLevels = 2;
constexpr size_t kMostLayoutItems = 100;

constexpr size_t kLongestText = 80;

/// What a tensor is called that is the file's whole content.
constexpr std::string_view kLoneName = "tensor";

bool is_container(const PickleGraph& graph, NodeId id) {
  return graph.is(id, NodeKind::dict) || graph.is(id, NodeKind::list) || graph.is(id, NodeKind::tuple);
}

bool is_script_module(const PickleGraph& graph, NodeId id) {
  return graph.is(id, NodeKind::object) && graph.qualified_name(id).starts_with("__torch__.");
}

/// The name of a key, or nothing for keys that have none (tuples, objects).
std::optional<std::string> key_text(const PickleGraph& graph, NodeId key) {
  switch (graph[key].kind) {
    case NodeKind::text:
      return std::string(graph[key].text);
    case NodeKind::integer:
      return std::to_string(graph[key].integer);
    default:
      return std::nullopt;
  }
}

/// The value of a scalar as text, or nothing.
std::optional<std::string> scalar_text(const Node& node) {
  switch (node.kind) {
    case NodeKind::boolean:
      return node.integer != 0 ? "true" : "false";
    case NodeKind::integer:
      return std::to_string(node.integer);
    case NodeKind::number:
      return fmt::format("{}", node.number);
    case NodeKind::text:
      return fmt::format("{}{}", node.text.substr(0, kLongestText),
                         node.text.size() > kLongestText ? "..." : "");
    default:
      return std::nullopt;
  }
}

/// What an entry is, in a few words, for the layout.
std::string words_for(const PickleGraph& graph, NodeId id) {
  const Node& node = graph[id];
  switch (node.kind) {
    case NodeKind::none:
      return "none";
    case NodeKind::boolean:
    case NodeKind::integer:
    case NodeKind::number:
      return *scalar_text(node);
    case NodeKind::big_integer:
      return "a large integer";
    case NodeKind::text:
      return fmt::format("'{}'", *scalar_text(node));
    case NodeKind::bytes:
      return fmt::format("{} bytes", node.text.size());
    case NodeKind::list:
      return fmt::format("list of {}", node.items.size());
    case NodeKind::tuple:
      return fmt::format("tuple of {}", node.items.size());
    case NodeKind::set:
      return fmt::format("set of {}", node.items.size());
    case NodeKind::dict:
      return fmt::format("map of {}", node.items.size() / 2);
    case NodeKind::global:
      return fmt::format("the class '{}'", graph.qualified_name(id));
    case NodeKind::persistent:
      return "a bare storage";
    case NodeKind::object: {
      const std::string callable = graph.qualified_name(id);
      if (callable.starts_with("torch._utils._rebuild") || callable.starts_with("torch._tensor._rebuild")) {
        return "tensor";
      }
      if (callable.ends_with("multiarray._reconstruct") || callable.ends_with("numeric._frombuffer")) {
        return "NumPy array";
      }
      return object_words(graph, id);
    }
  }
  return {};
}

class Walker {
 public:
  Walker(const PickleGraph& graph, const FindStorage& find_storage, const std::string& name)
      : graph_(graph), resolver_(graph, find_storage, name), name_(name) {}

  TorchTree walk(const std::optional<std::string>& root) {
    const NodeId top = graph_.root();
    describe(top);
    std::vector<Visit> pending{{root ? navigate(top, *root) : enter_wrapper(top), {}, 0, false}};
    while (!pending.empty()) {
      const Visit visit = std::move(pending.back());
      pending.pop_back();
      const size_t first_child = pending.size();
      take(visit, pending);
      std::reverse(pending.begin() + static_cast<std::ptrdiff_t>(first_child),
                   pending.end());  // the file's order
    }
    if (tree_.infos.empty() && !tree_.unreadable.empty()) {
      const auto& [entry, words] = *tree_.unreadable.begin();
      throw Error(ErrorKind::checkpoint, "{}: it holds no tensor that can be read: {} is {}", name_,
                  entry == kLoneName ? "its content" : fmt::format("'{}'", entry), words);
    }
    return std::move(tree_);
  }

 private:
  struct Visit {
    NodeId node;
    std::string path;
    size_t level;
    bool in_script;
  };

  /// The top-level scalars, and the first levels for `checkpoint inspect`.
  void describe(NodeId top) {
    tree_.layout.push_back({"", words_for(graph_, top)});
    describe_entries(top, "", 1);
    if (graph_.is(top, NodeKind::dict)) {
      const std::vector<NodeId>& items = graph_[top].items;
      for (size_t i = 0; i + 1 < items.size(); i += 2) {
        const auto key = key_text(graph_, items[i]);
        const auto value = scalar_text(graph_[items[i + 1]]);
        if (key && value) {
          tree_.metadata[*key] = *value;
        }
      }
    }
  }

  void describe_entries(NodeId node, const std::string& path, size_t level) {
    if (!graph_.is(node, NodeKind::dict) || level > kLayoutLevels) {
      return;
    }
    const std::vector<NodeId>& items = graph_[node].items;
    for (size_t i = 0; i + 1 < items.size() && tree_.layout.size() < kMostLayoutItems; i += 2) {
      const auto key = key_text(graph_, items[i]);
      const std::string words = words_for(graph_, items[i + 1]);
      if (key && words != "tensor") {  // tensors have a table of their own
        tree_.layout.push_back({path + *key, words});
        describe_entries(items[i + 1], path + *key + ".", level + 1);
      }
    }
  }

  /// Into "state_dict" or "model", when exactly one of them is there and is a map.
  NodeId enter_wrapper(NodeId top) const {
    NodeId entered = kNoNode;
    for (const std::string_view wrapper : kWrapperMaps) {
      const NodeId inner = graph_.find(top, wrapper);
      if (graph_.is(inner, NodeKind::dict) || is_script_module(graph_, inner)) {
        if (entered != kNoNode) {
          return top;
        }
        entered = inner;
      }
    }
    return entered == kNoNode ? top : entered;
  }

  /// Along a dotted path of keys, which may hold dots themselves: the longest key that fits is taken.
  NodeId navigate(NodeId node, std::string_view path) const {
    while (!path.empty()) {
      NodeId next = graph_.find(node, path);
      size_t used = path.size();
      for (size_t dot = path.rfind('.'); next == kNoNode && dot != std::string_view::npos && dot > 0;
           dot = path.rfind('.', dot - 1)) {
        next = graph_.find(node, path.substr(0, dot));
        used = dot + 1;
      }
      if (next == kNoNode) {
        std::vector<std::string> keys;
        for (size_t i = 0; graph_.is(node, NodeKind::dict) && i + 1 < graph_[node].items.size(); i += 2) {
          if (const auto key = key_text(graph_, graph_[node].items[i])) {
            keys.push_back(*key);
          }
        }
        throw Error(ErrorKind::checkpoint, "{}: there is no entry '{}'{}", name_, path,
                    suggestion(path, keys));
      }
      node = next;
      path.remove_prefix(std::min(used, path.size()));
    }
    return node;
  }

  void take(const Visit& visit, std::vector<Visit>& pending) {
    if (++visits_ > kMostVisits) {
      throw Error(ErrorKind::checkpoint, "{}: it has more than {} entries; the file is hostile", name_,
                  kMostVisits);
    }
    if (visit.level > kMostLevels) {
      throw Error(ErrorKind::checkpoint,
                  "{}: its maps are nested more than {} levels deep; the file is hostile", name_,
                  kMostLevels);
    }
    const NodeId id = visit.node;
    if (is_script_module(graph_, id)) {
      push_entries(graph_[id].state, visit, true, pending);
    } else if (visit.in_script && is_container(graph_, id)) {
      return;  // hyperparameters: lists, dicts and tuples of a scripted module hold no weights
    } else if (is_container(graph_, id)) {
      push_entries(id, visit, visit.in_script, pending);
    } else if (graph_.is(id, NodeKind::object) || graph_.is(id, NodeKind::persistent)) {
      take_object(visit);
    } else if (visit.level == 0) {
      throw Error(ErrorKind::checkpoint, "{}: its content is {}, not a map of tensors", name_,
                  words_for(graph_, id));
    }
  }

  void push_entries(NodeId container, const Visit& visit, bool in_script, std::vector<Visit>& pending) {
    if (container == kNoNode) {
      return;
    }
    const std::string prefix = visit.path.empty() ? std::string() : visit.path + ".";
    const std::vector<NodeId>& items = graph_[container].items;
    if (graph_.is(container, NodeKind::dict)) {
      // A key that stands twice has its last value, as in Python.
      std::unordered_map<std::string, size_t> places;
      for (size_t i = 0; i + 1 < items.size(); i += 2) {
        const auto key = key_text(graph_, items[i]);
        if (!key) {
          continue;
        }
        const auto [place, added] = places.emplace(*key, pending.size());
        if (added) {
          pending.push_back({items[i + 1], prefix + *key, visit.level + 1, in_script});
        } else {
          pending[place->second].node = items[i + 1];
        }
      }
    } else if (is_container(graph_, container)) {
      for (size_t i = 0; i < items.size(); ++i) {
        if (graph_[items[i]].kind != NodeKind::text) {  // lists of captions would only cost names
          pending.push_back({items[i], prefix + std::to_string(i), visit.level + 1, in_script});
        }
      }
    }
    if (pending.size() > kMostVisits) {
      throw Error(ErrorKind::checkpoint, "{}: it has more than {} entries; the file is hostile", name_,
                  kMostVisits);
    }
  }

  void take_object(const Visit& visit) {
    const std::string path = visit.path.empty() ? std::string(kLoneName) : visit.path;
    Resolved resolved = resolver_.resolve(visit.node, path);
    if (resolved.tensor) {
      if (!names_.insert(path).second) {
        throw Error(ErrorKind::checkpoint, "{}: two tensors come to the same name '{}'", name_, path);
      }
      tree_.infos.push_back({path, resolved.tensor->view.shape, resolved.tensor->view.dtype});
      tree_.records.push_back(std::move(*resolved.tensor));
    } else if (!visit.in_script) {
      tree_.unreadable[path] =
          resolved.unreadable.empty() ? object_words(graph_, visit.node) : resolved.unreadable;
    }
  }

  const PickleGraph& graph_;
  TensorResolver resolver_;
  const std::string& name_;
  TorchTree tree_;
  std::set<std::string> names_;
  size_t visits_ = 0;
};

}  // namespace

TorchTree walk_torch_object(const PickleGraph& graph, const FindStorage& find_storage,
                            const std::string& name, const std::optional<std::string>& root) {
  return Walker(graph, find_storage, name).walk(root);
}

}  // namespace patchioner
