#include "checkpoint/tensor_bytes.hpp"

#include <fmt/ranges.h>

#include <cstring>

namespace patchioner {
namespace {

/// A view that repeats elements (stride 0) can ask for any amount of memory from a few bytes; real
/// checkpoints expand scalars and biases only.
constexpr int64_t kMostExpandedBytes = int64_t{1} << 30;

/// More dimensions than any layer has; LibTorch itself works with at most 64.
constexpr size_t kMostDimensions = 64;

}  // namespace

std::string_view dtype_name(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
      return "float64";
    case at::kFloat:
      return "float32";
    case at::kHalf:
      return "float16";
    case at::kBFloat16:
      return "bfloat16";
    case at::kLong:
      return "int64";
    case at::kInt:
      return "int32";
    case at::kShort:
      return "int16";
    case at::kChar:
      return "int8";
    case at::kByte:
      return "uint8";
    case at::kBool:
      return "bool";
    default:
      return at::toString(dtype);
  }
}

std::string shape_text(std::span<const int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

std::optional<int64_t> checked_element_count(std::span<const int64_t> shape) {
  int64_t count = 1;
  bool empty = false;
  for (const int64_t size : shape) {
    if (size < 0) {
      return std::nullopt;
    }
    if (size == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(count, size, &count)) {
      return std::nullopt;
    }
  }
  return empty ? 0 : count;
}

std::string view_problem(const StridedView& view, uint64_t storage_bytes) {
  const auto item_size = static_cast<int64_t>(at::elementSize(view.dtype));
  if (view.shape.size() != view.strides.size()) {
    return fmt::format("has {} sizes but {} strides", view.shape.size(), view.strides.size());
  }
  if (view.shape.size() > kMostDimensions) {
    return fmt::format("has {} dimensions; at most {} are read", view.shape.size(), kMostDimensions);
  }
  for (size_t i = 0; i < view.shape.size(); ++i) {
    if (view.shape[i] < 0) {
      return fmt::format("has a negative size, {}", shape_text(view.shape));
    }
    if (view.strides[i] < 0) {
      return fmt::format("has a negative stride, {}", shape_text(view.strides));
    }
  }
  if (view.offset < 0) {
    return fmt::format("has a negative storage offset, {}", view.offset);
  }
  const auto count = checked_element_count(view.shape);
  int64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, item_size, &bytes)) {
    return fmt::format("has more elements than can be counted, {}", shape_text(view.shape));
  }
  if (*count == 0) {
    return {};
  }
  const auto elements = static_cast<int64_t>(storage_bytes / static_cast<uint64_t>(item_size));
  int64_t last = view.offset;
  bool overflow = false;
  for (size_t i = 0; i < view.shape.size(); ++i) {
    int64_t reach = 0;
    overflow = overflow || __builtin_mul_overflow(view.shape[i] - 1, view.strides[i], &reach) ||
               __builtin_add_overflow(last, reach, &last);
  }
  if (overflow || last >= elements) {
    return fmt::format(
        "reaches past its storage: offset {}, sizes {}, strides {}, but the storage holds {} elements",
        view.offset, shape_text(view.shape), shape_text(view.strides), elements);
  }
  if (*count > elements && bytes > kMostExpandedBytes) {
    return fmt::format("expands {} bytes of storage to {} bytes", storage_bytes, bytes);
  }
  return {};
}

std::vector<int64_t> contiguous_strides(std::span<const int64_t> shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<int64_t>(shape[i], 1);
  }
  return strides;
}

at::Tensor tensor_of(const ByteRange& storage, const StridedView& view) {
  const auto options = at::TensorOptions().dtype(view.dtype);
  if (checked_element_count(view.shape).value_or(0) == 0) {
    return at::empty(view.shape, options);
  }
  const size_t item_size = at::elementSize(view.dtype);
  const std::byte* start = storage.bytes.data() + static_cast<size_t>(view.offset) * item_size;
  int64_t reach = 0;
  for (size_t i = 0; i < view.shape.size(); ++i) {
    reach += (view.shape[i] - 1) * view.strides[i];
  }
  // Bytes that are neither 0 nor 1 are no bool to the compiler; reading them as bytes keeps a damaged file
  // harmless.
  const bool boolean = view.dtype == at::kBool;
  const auto stored = boolean ? options.dtype(at::kByte) : options;
  auto* data = const_cast<std::byte*>(start);
  at::Tensor flat;  // [reach + 1]
  if (reinterpret_cast<uintptr_t>(start) % item_size == 0) {
    flat = at::from_blob(
        data, {reach + 1}, [owner = storage.owner](void*) {}, stored);
  } else {
    flat = at::empty({reach + 1}, stored);
    std::memcpy(flat.data_ptr(), data, static_cast<size_t>(reach + 1) * item_size);
  }
  const at::Tensor tensor = flat.as_strided(view.shape, view.strides);
  return boolean ? tensor.ne(0) : tensor.contiguous();
}

}  // namespace patchioner
