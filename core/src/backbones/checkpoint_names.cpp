#include "backbones/checkpoint_names.hpp"

#include <algorithm>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

constexpr size_t kMostDigits = 6;

}  // namespace

std::optional<std::string> replaced_start(const std::string& name, const NamePairs& pairs) {
  for (const auto& [from, to] : pairs) {
    if (name.starts_with(from)) {
      return std::string(to) + name.substr(from.size());
    }
  }
  return std::nullopt;
}

std::optional<BlockName> split_block(const std::string& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) {
    return std::nullopt;
  }
  const size_t dot = name.find('.', prefix.size());
  if (dot == std::string::npos || dot == prefix.size() || dot - prefix.size() > kMostDigits) {
    return std::nullopt;
  }
  const std::string digits = name.substr(prefix.size(), dot - prefix.size());
  if (digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  return BlockName{std::stoll(digits), name.substr(dot + 1)};
}

int64_t block_count(const std::set<int64_t>& found, const StateDict& state_dict, std::string_view prefix) {
  const auto count = static_cast<int64_t>(found.size());
  if (count > 0 && *found.rbegin() != count - 1) {
    int64_t missing = 0;
    while (found.contains(missing)) {
      ++missing;
    }
    throw Error(
        ErrorKind::checkpoint,
        "{}: of the blocks under {} the last one is number {}, but number {} is not there; the file is "
        "incomplete",
        state_dict.description(), prefix, *found.rbegin(), missing);
  }
  return count;
}

int64_t block_count(const StateDict& state_dict, std::string_view prefix) {
  std::set<int64_t> found;
  for (const std::string& name : state_dict.names()) {
    if (const auto block = split_block(name, prefix)) {
      found.insert(block->index);
    }
  }
  return block_count(found, state_dict, prefix);
}

bool any_block_has(const StateDict& state_dict, std::string_view prefix, std::string_view rest) {
  const std::vector<std::string> names = state_dict.names();
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto block = split_block(name, prefix);
    return block && block->rest == rest;
  });
}

std::optional<std::vector<int64_t>> shape_of(const TensorRecipe& recipe, const StateDict& state_dict) {
  const TensorInfo* info = recipe.parts.empty() ? nullptr : state_dict.info(recipe.parts.front());
  if (info == nullptr) {
    return std::nullopt;
  }
  std::vector<int64_t> shape = info->shape;
  for (int i = 0; i < recipe.leading_ones && shape.size() > 1 && shape.front() == 1; ++i) {
    shape.erase(shape.begin());
  }
  if (recipe.parts.size() > 1 && !shape.empty()) {
    shape.front() *= static_cast<int64_t>(recipe.parts.size());
  }
  if (recipe.transposed && shape.size() == 2) {
    std::swap(shape[0], shape[1]);
  }
  if (recipe.zero_class_row && shape.size() == 3) {
    shape[1] += 1;
  }
  return shape;
}

std::optional<int64_t> find_size(const std::optional<std::vector<int64_t>>& shape, size_t axis) {
  return shape && axis < shape->size() ? std::optional((*shape)[axis]) : std::nullopt;
}

int64_t size_at(const std::optional<std::vector<int64_t>>& shape, size_t axis) {
  return find_size(shape, axis).value_or(1);
}

at::Tensor tensor_of(const TensorRecipe& recipe, const std::vector<int64_t>& shape,
                     const WeightSource& source) {
  std::vector<int64_t> stored = shape;
  if (recipe.transposed) {
    std::swap(stored[0], stored[1]);
  }
  if (recipe.parts.size() > 1) {  // a scalar has no first axis
    stored.front() /= static_cast<int64_t>(recipe.parts.size());
  }
  if (recipe.zero_class_row) {
    stored[1] -= 1;
  }
  stored.insert(stored.begin(), recipe.leading_ones, 1);
  std::vector<at::Tensor> parts;
  for (const std::string& part : recipe.parts) {
    parts.push_back(source(part, stored));
  }
  at::Tensor tensor = parts.size() == 1 ? parts.front() : at::cat(parts);
  if (recipe.transposed) {
    tensor = tensor.t().contiguous();
  }
  if (recipe.zero_class_row) {
    tensor = at::cat({at::zeros({1, 1, shape[2]}, tensor.options()), tensor}, 1);
  }
  return recipe.leading_ones > 0 ? tensor.reshape(shape) : tensor;
}

}  // namespace patchioner
