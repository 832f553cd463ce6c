// From raw little-endian bytes of a file to tensors, with every size checked before anything is allocated.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace patchioner {

/// Bytes and whatever keeps them alive (a mapped file, an inflated archive entry).
struct ByteRange {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

/// A strided view of a storage, as PyTorch pickles it. Offset and strides count elements.
struct StridedView {
  at::ScalarType dtype = at::kFloat;
  int64_t offset = 0;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
};

/// "float32", "bfloat16", "int64" ... as researchers write them.
std::string_view dtype_name(at::ScalarType dtype);

/// "[768,512]"; "[]" for a scalar.
std::string shape_text(std::span<const int64_t> shape);

/// Product of the sizes, or nothing when a size is negative or the product leaves int64. A zero size gives
/// zero, but the other sizes must still multiply without overflow.
std::optional<int64_t> checked_element_count(std::span<const int64_t> shape);

/// What is wrong with a view of a storage of `storage_bytes` bytes, as the rest of a sentence ("has a
/// negative size, [-1,2]"), or empty.
std::string view_problem(const StridedView& view, uint64_t storage_bytes);

/// Strides of a contiguous tensor.
std::vector<int64_t> contiguous_strides(std::span<const int64_t> shape);

/// The contiguous tensor that a view of these bytes shows. Shares the bytes, and keeps their owner alive,
/// when the view is contiguous and aligned; otherwise copies. `view_problem` must be empty for it.
at::Tensor tensor_of(const ByteRange& storage, const StridedView& view);

}  // namespace patchioner
