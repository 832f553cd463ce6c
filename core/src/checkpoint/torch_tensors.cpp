#include "checkpoint/torch_tensors.hpp"

#include <patchioner/error.hpp>

#include "checkpoint/pickle_text.hpp"
#include "checkpoint/torch_stream.hpp"

namespace patchioner {
namespace {

struct StorageType {
  std::string_view name;
  at::ScalarType dtype;
};
constexpr StorageType kStorageTypes[] = {
    {"torch.FloatStorage", at::kFloat}, {"torch.DoubleStorage", at::kDouble},
    {"torch.HalfStorage", at::kHalf},   {"torch.BFloat16Storage", at::kBFloat16},
    {"torch.LongStorage", at::kLong},   {"torch.IntStorage", at::kInt},
    {"torch.ShortStorage", at::kShort}, {"torch.CharStorage", at::kChar},
    {"torch.ByteStorage", at::kByte},   {"torch.BoolStorage", at::kBool}};

struct ForeignTensor {
  std::string_view callable;
  std::string_view words;
};

/// Tensors that are not read, and what to call them.
constexpr ForeignTensor kForeignTensors[] = {
    {"torch._utils._rebuild_qtensor", "a quantised tensor"},
    {"torch._utils._rebuild_sparse_tensor", "a sparse tensor"},
    {"torch._utils._rebuild_sparse_csr_tensor", "a sparse tensor"},
    {"torch._utils._rebuild_nested_tensor", "a nested tensor"},
    {"torch._utils._rebuild_meta_tensor_no_storage", "a meta tensor, which has no values"},
    {"torch._utils._rebuild_tensor_v3", "a tensor of an unusual type"},
    {"torch._utils._rebuild_wrapper_subclass", "a tensor of a subclass"},
    {"torch._utils._rebuild_device_tensor_from_numpy", "a tensor of a foreign device"},
    {"torch._utils._rebuild_device_tensor_from_cpu_tensor", "a tensor of a foreign device"},
};

/// Parameters wrap tensors, and subclasses wrap parameters; more layers than this are no checkpoint.
constexpr int kMostWrappings = 8;

template <class... Arguments>
[[noreturn]] void refuse(const std::string& name, const std::string& tensor_name,
                         fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  throw Error(ErrorKind::checkpoint, "{}: tensor '{}' {}; the file is damaged or hostile", name, tensor_name,
              fmt::format(format, std::forward<Arguments>(arguments)...));
}

std::optional<std::vector<int64_t>> integers_of(const PickleGraph& graph, NodeId id) {
  // torch.Size is a tuple in a call.
  if (graph.is(id, NodeKind::object) && graph.qualified_name(id) == "torch.Size" &&
      graph[id].items.size() == 1) {
    id = graph[id].items[0];
  }
  if (!graph.is(id, NodeKind::tuple) && !graph.is(id, NodeKind::list)) {
    return std::nullopt;
  }
  std::vector<int64_t> values;
  for (const NodeId item : graph[id].items) {
    if (graph[item].kind != NodeKind::integer) {
      return std::nullopt;
    }
    values.push_back(graph[item].integer);
  }
  return values;
}

}  // namespace

std::string object_words(const PickleGraph& graph, NodeId node) {
  const std::string name = graph.qualified_name(node);
  const NodeId state = graph.is(node, NodeKind::object) ? graph[node].state : kNoNode;
  if (graph.find(state, "_parameters") != kNoNode || graph.find(state, "_modules") != kNoNode) {
    return fmt::format(
        "a whole pickled Python module of the class '{}'; load it in Python and save its state_dict() "
        "instead",
        name);
  }
  return name.empty() ? std::string("an object of an unnamed class")
                      : fmt::format("an object of the class '{}'", name);
}

std::optional<ByteRange> TensorResolver::bytes_of(NodeId node) {
  if (graph_.is(node, NodeKind::bytes) || graph_.is(node, NodeKind::text)) {
    if (graph_.in_source(graph_[node].text)) {
      const std::string_view text = graph_[node].text;
      return ByteRange{std::as_bytes(std::span<const char>(text.data(), text.size())), graph_.owner()};
    }
    return decoded(node, [](std::string_view text, std::string& bytes) {
      bytes = text;
      return true;
    });
  }
  if (!graph_.is(node, NodeKind::object)) {
    return std::nullopt;
  }
  const std::string callable = graph_.qualified_name(node);
  if (graph_[node].items.empty()) {
    // No bytes at all, as protocols before 3 write them.
    const bool none = callable == "__builtin__.bytes" || callable == "builtins.bytes";
    return none ? std::optional<ByteRange>(ByteRange{}) : std::nullopt;
  }
  const NodeId first = graph_[node].items[0];
  if (callable == "_codecs.encode" && graph_.is(first, NodeKind::text)) {
    return decoded(first, latin1_bytes);
  }
  if (callable == "builtins.bytearray" &&
      (graph_.is(first, NodeKind::bytes) || graph_.qualified_name(first) == "_codecs.encode")) {
    return bytes_of(first);
  }
  return std::nullopt;
}

std::optional<ByteRange> TensorResolver::decoded(NodeId text,
                                                 bool (*decode)(std::string_view, std::string&)) {
  if (const auto known = decoded_.find(text); known != decoded_.end()) {
    return known->second;
  }
  auto content = std::make_shared<std::string>();
  if (!decode(graph_[text].text, *content)) {
    return std::nullopt;
  }
  const ByteRange bytes{std::as_bytes(std::span<const char>(content->data(), content->size())), content};
  return decoded_.emplace(text, bytes).first->second;
}

const StorageInStream& TensorResolver::storage_in_bytes(NodeId node) {
  if (const auto known = streams_.find(node); known != streams_.end()) {
    return known->second;
  }
  StorageInStream storage;
  const auto bytes = graph_[node].items.empty() ? std::nullopt : bytes_of(graph_[node].items[0]);
  if (bytes) {
    storage = read_storage_stream(*bytes, name_);
  } else {
    storage.unreadable = "a storage without bytes";
  }
  return streams_.emplace(node, std::move(storage)).first->second;
}

std::optional<StorageId> storage_id(const PickleGraph& graph, NodeId persistent, const std::string& name,
                                    std::string& unreadable) {
  const auto malformed = [&name] {
    return Error(
        ErrorKind::checkpoint,
        "{}: a storage's id is no ('storage', type, key, location, count); the file is damaged or hostile",
        name);
  };
  const std::vector<NodeId>& id =
      graph[graph[persistent].items[0]].items;  // the machine checked that it is a tuple of 5 or 6
  if (graph[id[1]].kind != NodeKind::global ||
      (graph[id[2]].kind != NodeKind::text && graph[id[2]].kind != NodeKind::integer) ||
      graph[id[4]].kind != NodeKind::integer || graph[id[4]].integer < 0) {
    throw malformed();
  }
  StorageId storage;
  storage.key = graph[id[2]].kind == NodeKind::text ? std::string(graph[id[2]].text)
                                                    : std::to_string(graph[id[2]].integer);
  storage.elements = graph[id[4]].integer;
  storage.window_elements = storage.elements;
  const std::string type = graph.qualified_name(id[1]);
  bool known = false;
  for (const auto& [type_name, dtype] : kStorageTypes) {
    if (type == type_name) {
      storage.dtype = dtype;
      known = true;
    }
  }
  if (!known) {
    unreadable = type.find("Complex") != std::string::npos
                     ? fmt::format("a complex tensor ({})", type)
                     : fmt::format("a tensor of a type that is not read ({})", type);
    return std::nullopt;
  }
  if (id.size() == 6 && graph[id[5]].kind != NodeKind::none) {
    const Node& window = graph[id[5]];
    if (window.kind != NodeKind::tuple || window.items.size() != 3 ||
        graph[window.items[1]].kind != NodeKind::integer ||
        graph[window.items[2]].kind != NodeKind::integer) {
      throw malformed();
    }
    storage.window_offset = graph[window.items[1]].integer;
    storage.window_elements = graph[window.items[2]].integer;
    if (storage.window_offset < 0 || storage.window_elements < 0 ||
        storage.window_offset > storage.elements ||
        storage.window_elements > storage.elements - storage.window_offset) {
      throw malformed();
    }
  }
  return storage;
}

/// A call of _rebuild_tensor or _rebuild_tensor_v2.
Resolved TensorResolver::resolve_rebuild(const std::vector<NodeId>& arguments,
                                         const std::string& tensor_name) {
  if (arguments.size() < 4) {
    refuse(name_, tensor_name, "is made from {} arguments instead of a storage, an offset, sizes and strides",
           arguments.size());
  }
  // The seventh argument says that the stored values are still to be negated or conjugated.
  if (arguments.size() > 6) {
    for (const char* lazy : {"neg", "conj"}) {
      const NodeId flag = graph_.find(arguments[6], lazy);
      if (graph_.is(flag, NodeKind::boolean) && graph_[flag].integer != 0) {
        return {std::nullopt,
                "a view that is negated or conjugated when it is read; save it with "
                ".resolve_neg().resolve_conj()"};
      }
    }
  }
  TensorRecord record;
  Resolved result;
  const NodeId storage = arguments[0];
  if (graph_.is(storage, NodeKind::persistent)) {
    const auto id = storage_id(graph_, storage, name_, result.unreadable);
    if (!id) {
      return result;
    }
    record.view.dtype = id->dtype;
    record.place = find_storage_(*id);
  } else if (graph_.is(storage, NodeKind::object) &&
             graph_.qualified_name(storage) == "torch.storage._load_from_bytes") {
    const StorageInStream& found = storage_in_bytes(storage);
    if (!found.dtype) {
      return {std::nullopt, found.unreadable};
    }
    record.view.dtype = *found.dtype;
    record.place = found.place;
  } else {
    result.unreadable = graph_.is(storage, NodeKind::object)
                            ? fmt::format("a tensor over {}", object_words(graph_, storage))
                            : "a tensor without a storage";
    return result;
  }
  const auto shape = integers_of(graph_, arguments[2]);
  const auto strides = integers_of(graph_, arguments[3]);
  if (graph_[arguments[1]].kind != NodeKind::integer || !shape || !strides) {
    refuse(name_, tensor_name, "has an offset, sizes or strides that are no integers");
  }
  record.view.offset = graph_[arguments[1]].integer;
  record.view.shape = *shape;
  record.view.strides = *strides;
  if (const std::string problem = view_problem(record.view, record.place.size); !problem.empty()) {
    refuse(name_, tensor_name, "{}", problem);
  }
  result.tensor = std::move(record);
  return result;
}

Resolved TensorResolver::resolve(NodeId node, const std::string& tensor_name) {
  if (graph_.is(node, NodeKind::persistent)) {
    return {std::nullopt, "a bare storage, not a tensor"};
  }
  std::vector<NodeId> arguments;
  std::string callable = graph_.qualified_name(node);
  for (int wrapping = 0; graph_.is(node, NodeKind::object); ++wrapping) {
    arguments = graph_[node].items;
    if (callable == "torch._tensor._rebuild_from_type_v2" && arguments.size() >= 3 &&
        graph_.is(arguments[2], NodeKind::tuple)) {
      // (callable, type, arguments, state): a tensor that carries attributes; the attributes are not needed.
      callable = graph_.qualified_name(arguments[0]);
      arguments = graph_[arguments[2]].items;
    }
    const bool parameter = callable == "torch._utils._rebuild_parameter" ||
                           callable == "torch._utils._rebuild_parameter_with_state";
    if (!parameter || arguments.empty() || wrapping >= kMostWrappings) {
      break;
    }
    node = arguments[0];
    callable = graph_.qualified_name(node);
  }
  if (!graph_.is(node, NodeKind::object)) {
    return {};
  }
  if (callable == "torch._utils._rebuild_tensor_v2" || callable == "torch._utils._rebuild_tensor") {
    return resolve_rebuild(arguments, tensor_name);
  }
  for (const auto& [foreign, words] : kForeignTensors) {
    if (callable == foreign) {
      return {std::nullopt, std::string(words)};
    }
  }
  return resolve_array(node, tensor_name);
}

}  // namespace patchioner
