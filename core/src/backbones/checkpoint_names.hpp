// What the views of checkpoints under other names have in common: names taken apart and translated, blocks
// counted, tensors put together from the parts that a file stores.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkpoint/state_dict.hpp"
#include "nn/weights.hpp"

namespace patchioner {

/// Beginnings of names and what stands there instead.
using NamePairs = std::vector<std::pair<std::string_view, std::string_view>>;

/// `name` with the first beginning of `pairs` that it has replaced; nullopt when it has none of them.
std::optional<std::string> replaced_start(const std::string& name, const NamePairs& pairs);

/// "blocks.7.norm1.weight" taken apart after its prefix "blocks.".
struct BlockName {
  int64_t index = 0;  ///< 7
  std::string rest;   ///< "norm1.weight"
};

/// nullopt for a name that does not begin with `prefix` and a number of at most six digits before a dot.
std::optional<BlockName> split_block(const std::string& name, std::string_view prefix);

/// Number of blocks whose numbers were found, from 0 without gaps; a gap throws an Error of kind checkpoint
/// that names the file and the first block that is not there.
int64_t block_count(const std::set<int64_t>& found, const StateDict& state_dict, std::string_view prefix);

/// The same of all names of the file that split_block takes apart.
int64_t block_count(const StateDict& state_dict, std::string_view prefix);

/// Whether any block has the tensor `rest`, so that one block that lost it does not speak for all.
bool any_block_has(const StateDict& state_dict, std::string_view prefix, std::string_view rest);

/// How a tensor is made from those that a file stores: parts stacked along the first axis, then turned, then
/// stripped of leading ones, then given a row of zeros in front of the others. Without parts the file has no
/// counterpart of it.
struct TensorRecipe {
  std::vector<std::string> parts;
  bool transposed = false;
  int leading_ones = 0;
  bool zero_class_row = false;  ///< of [1,T,W]: a position table without one for the class token
};

/// The shape of what the recipe makes; nullopt when the file does not have it.
std::optional<std::vector<int64_t>> shape_of(const TensorRecipe& recipe, const StateDict& state_dict);

/// A size in a shape; nothing where the tensor is absent or has no such axis.
std::optional<int64_t> find_size(const std::optional<std::vector<int64_t>>& shape, size_t axis);

/// The same, but 1 instead of nothing: a network of that size asks for the tensor, and a loader reports it.
int64_t size_at(const std::optional<std::vector<int64_t>>& shape, size_t axis);

/// What the recipe makes, of that shape, its parts asked from `source`. At least one part.
at::Tensor tensor_of(const TensorRecipe& recipe, const std::vector<int64_t>& shape,
                     const WeightSource& source);

}  // namespace patchioner
