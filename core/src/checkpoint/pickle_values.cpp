#include "checkpoint/pickle_values.hpp"

#include <optional>
#include <patchioner/error.hpp>

#include "checkpoint/torch_files.hpp"

namespace patchioner {
namespace {

/// Settings are shallow and few; what is deeper or more is no config, and shared or cyclic parts end here.
constexpr int kMostLevels = 32;
constexpr size_t kMostValues = 100'000;

class Converter {
 public:
  Converter(const PickleGraph& graph, const std::string& path) : graph_(graph), path_(path) {}

  nlohmann::json convert_top() {
    NodeId top = graph_.root();
    if (graph_.is(top, NodeKind::object)) {
      top = graph_[top].state;
      // A state may be a pair of the attributes and the slots.
      if (graph_.is(top, NodeKind::tuple) && !graph_[top].items.empty()) {
        top = graph_[top].items[0];
      }
    }
    if (!graph_.is(top, NodeKind::dict)) {
      throw Error(ErrorKind::checkpoint,
                  "{}: this pickle holds no settings: neither a dict nor an object with attributes", path_);
    }
    return *convert(top, 0);
  }

 private:
  std::optional<nlohmann::json> convert(NodeId id, int level) {
    if (level > kMostLevels || ++values_ > kMostValues) {
      throw Error(ErrorKind::checkpoint, "{}: this pickle is no config: more than {} levels or {} values",
                  path_, kMostLevels, kMostValues);
    }
    const Node& node = graph_[id];
    switch (node.kind) {
      case NodeKind::none:
        return nlohmann::json(nullptr);
      case NodeKind::boolean:
        return nlohmann::json(node.integer != 0);
      case NodeKind::integer:
        return nlohmann::json(node.integer);
      case NodeKind::number:
        return nlohmann::json(node.number);
      case NodeKind::text:
        return nlohmann::json(std::string(node.text));
      case NodeKind::list:
      case NodeKind::tuple:
      case NodeKind::set: {
        nlohmann::json list = nlohmann::json::array();
        for (const NodeId item : node.items) {
          if (auto value = convert(item, level + 1)) {
            list.push_back(std::move(*value));
          }
        }
        return list;
      }
      case NodeKind::dict: {
        nlohmann::json map = nlohmann::json::object();
        for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
          const Node& key = graph_[node.items[i]];
          if (key.kind != NodeKind::text && key.kind != NodeKind::integer) {
            continue;
          }
          if (auto value = convert(node.items[i + 1], level + 1)) {
            map[key.kind == NodeKind::text ? std::string(key.text) : std::to_string(key.integer)] =
                std::move(*value);
          }
        }
        return map;
      }
      default:
        return std::nullopt;
    }
  }

  const PickleGraph& graph_;
  const std::string& path_;
  size_t values_ = 0;
};

}  // namespace

nlohmann::json read_pickle_plain_values(const std::filesystem::path& path) {
  const std::string name = path.string();
  const auto graph = open_object(path);
  return Converter(*graph, name).convert_top();
}

}  // namespace patchioner
