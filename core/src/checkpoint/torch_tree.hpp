// From the object in a torch file to names and tensors: which map is the state dict, and what everything in
// it is called.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/state_dict.hpp"
#include "checkpoint/torch_tensors.hpp"

namespace patchioner {

/// Everything that a torch file turned out to hold.
struct TorchTree {
  std::vector<TensorInfo> infos;      ///< in the file's order
  std::vector<TensorRecord> records;  ///< of the same index
  std::map<std::string, std::string> unreadable;
  std::map<std::string, std::string> metadata;  ///< top-level scalars
  std::vector<LayoutItem> layout;
};

/// Walks the graph from its root. `root` as in StateDict::open. Maps and lists become dotted names;
/// TorchScript modules give their tensor attributes alone. Throws an Error of kind checkpoint: no such root,
/// nothing that could be a state dict, a damaged tensor.
TorchTree walk_torch_object(const PickleGraph& graph, const FindStorage& find_storage,
                            const std::string& name, const std::optional<std::string>& root);

}  // namespace patchioner
