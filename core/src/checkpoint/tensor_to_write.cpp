#include "checkpoint/tensor_to_write.hpp"

#include <patchioner/error.hpp>

#include "checkpoint/tensor_bytes.hpp"

namespace patchioner {

uint64_t byte_count(const TensorInfo& info) {
  return static_cast<uint64_t>(checked_element_count(info.shape).value_or(0)) * at::elementSize(info.dtype);
}

at::Tensor made(const TensorToWrite& tensor, const std::filesystem::path& path) {
  at::Tensor made = tensor.make().detach().cpu().contiguous();
  if (made.sizes() != at::IntArrayRef(tensor.info.shape) || made.scalar_type() != tensor.info.dtype) {
    throw Error(ErrorKind::internal, "{}: the tensor '{}' was announced as {} {} and is {} {}", path.string(),
                tensor.info.name, dtype_name(tensor.info.dtype), shape_text(tensor.info.shape),
                dtype_name(made.scalar_type()), shape_text(made.sizes()));
  }
  return made;
}

std::vector<TensorToWrite> at_hand(const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  std::vector<TensorToWrite> planned;
  for (const auto& [name, tensor] : tensors) {
    TensorToWrite next{{name, tensor.sizes().vec(), tensor.scalar_type()}, [tensor] { return tensor; }, {}};
    // A tied weight shares its storage with an earlier one, as it would in a file of PyTorch's.
    for (size_t earlier = 0; earlier < planned.size() && tensor.is_contiguous() && tensor.numel() > 0;
         ++earlier) {
      const at::Tensor& other = tensors[earlier].second;
      if (!planned[earlier].same_as && other.is_contiguous() &&
          other.const_data_ptr() == tensor.const_data_ptr() && other.numel() == tensor.numel() &&
          other.scalar_type() == tensor.scalar_type()) {
        next.same_as = earlier;
        break;
      }
    }
    planned.push_back(std::move(next));
  }
  return planned;
}

}  // namespace patchioner
