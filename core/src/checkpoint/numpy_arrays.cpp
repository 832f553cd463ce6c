// NumPy arrays within pickles, as detectron2's model files hold them: `_reconstruct` with its state, or
// `_frombuffer`.
#include <patchioner/error.hpp>

#include "checkpoint/torch_tensors.hpp"

namespace patchioner {
namespace {

struct ArrayType {
  std::string_view code;
  at::ScalarType dtype;
};
constexpr ArrayType kArrayTypes[] = {{"f8", at::kDouble}, {"f4", at::kFloat}, {"f2", at::kHalf},
                                     {"i8", at::kLong},   {"i4", at::kInt},   {"i2", at::kShort},
                                     {"i1", at::kChar},   {"u1", at::kByte},  {"b1", at::kBool}};

/// The element type of a `numpy.dtype` object, or nothing and the words for it.
std::optional<at::ScalarType> array_dtype(const PickleGraph& graph, NodeId node, std::string& unreadable) {
  unreadable = "a NumPy array of a type that is not read";
  if (!graph.is(node, NodeKind::object) || graph.qualified_name(node) != "numpy.dtype" ||
      graph[node].items.empty() || !graph.is(graph[node].items[0], NodeKind::text)) {
    return std::nullopt;
  }
  const std::string_view code = graph[graph[node].items[0]].text;
  // The state is (version, byte order, ...); without one the order is the machine's.
  const NodeId state = graph[node].state;
  if (graph.is(state, NodeKind::tuple) && graph[state].items.size() > 1 &&
      graph.is(graph[state].items[1], NodeKind::text) && graph[graph[state].items[1]].text == ">") {
    unreadable = "a NumPy array in big-endian order, which is not read";
    return std::nullopt;
  }
  for (const auto& [known, dtype] : kArrayTypes) {
    if (code == known || (code.size() == 3 && code.front() == '<' && code.substr(1) == known)) {
      unreadable.clear();
      return dtype;
    }
  }
  unreadable = fmt::format("a NumPy array of the type '{}', which is not read", code.substr(0, 40));
  return std::nullopt;
}

}  // namespace

/// An array of little-endian f8, f4, f2, i8, i4, i2, i1, u1 or b1 as a tensor; another type or byte order is
/// unreadable; anything else is neither.
Resolved TensorResolver::resolve_array(NodeId node, const std::string& tensor_name) {
  const std::string callable = graph_.qualified_name(node);
  NodeId shape_node = kNoNode;
  NodeId dtype_node = kNoNode;
  NodeId data_node = kNoNode;
  bool fortran = false;
  if (callable == "numpy.core.multiarray._reconstruct" || callable == "numpy._core.multiarray._reconstruct") {
    const NodeId state = graph_[node].state;  // (version, shape, dtype, fortran, data)
    if (!graph_.is(state, NodeKind::tuple) || graph_[state].items.size() != 5) {
      return {std::nullopt, "a NumPy array without content"};
    }
    const std::vector<NodeId>& items = graph_[state].items;
    shape_node = items[1];
    dtype_node = items[2];
    fortran = graph_.is(items[3], NodeKind::boolean) && graph_[items[3]].integer != 0;
    data_node = items[4];
  } else if (callable == "numpy.core.numeric._frombuffer" || callable == "numpy._core.numeric._frombuffer") {
    const std::vector<NodeId>& items = graph_[node].items;  // (data, dtype, shape, order)
    if (items.size() != 4) {
      return {std::nullopt, "a NumPy array without content"};
    }
    data_node = items[0];
    dtype_node = items[1];
    shape_node = items[2];
    fortran = graph_.is(items[3], NodeKind::text) && graph_[items[3]].text == "F";
  } else {
    return {};
  }
  Resolved result;
  const auto dtype = array_dtype(graph_, dtype_node, result.unreadable);
  if (!dtype) {
    return result;
  }
  TensorRecord record;
  record.view.dtype = *dtype;
  const auto refuse = [&](const std::string& what) {
    return Error(ErrorKind::checkpoint, "{}: array '{}' {}; the file is damaged or hostile", name_,
                 tensor_name, what);
  };
  if (!graph_.is(shape_node, NodeKind::tuple)) {
    throw refuse("has no shape");
  }
  for (const NodeId size : graph_[shape_node].items) {
    if (!graph_.is(size, NodeKind::integer)) {
      throw refuse("has a size that is no integer");
    }
    record.view.shape.push_back(graph_[size].integer);
  }
  auto bytes = bytes_of(data_node);
  if (!bytes) {
    return {std::nullopt, "a NumPy array of objects"};
  }
  const auto count = checked_element_count(record.view.shape);
  if (!count || static_cast<uint64_t>(*count) > bytes->bytes.size() / at::elementSize(*dtype) ||
      bytes->bytes.size() != static_cast<uint64_t>(*count) * at::elementSize(*dtype)) {
    throw refuse(
        fmt::format("has {} bytes for the shape {}", bytes->bytes.size(), shape_text(record.view.shape)));
  }
  record.view.strides = contiguous_strides(record.view.shape);
  if (fortran) {
    std::vector<int64_t> reversed(record.view.shape.rbegin(), record.view.shape.rend());
    record.view.strides = contiguous_strides(reversed);
    std::reverse(record.view.strides.begin(), record.view.strides.end());
  }
  record.place.size = bytes->bytes.size();
  record.place.bytes = std::move(*bytes);
  if (const std::string problem = view_problem(record.view, record.place.size); !problem.empty()) {
    throw refuse(problem);
  }
  result.tensor = std::move(record);
  return result;
}

}  // namespace patchioner
