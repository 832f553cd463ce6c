#include "nn/weights.hpp"

namespace patchioner {
namespace {

/// Bytes that are read before the pages of the file are let go of: few against a model, many against the cost
/// of looking for them.
constexpr uint64_t kReleaseAfter = uint64_t{64} << 20;

}  // namespace

WeightSource weights_from(TensorLoader& loader, at::Device device) {
  // Most tensors are converted or packed, and the file's own bytes are then needed no more.
  return [&loader, device, read = std::make_shared<uint64_t>(0)](const std::string& name,
                                                                 const std::vector<int64_t>& shape) {
    if (device.is_meta()) {
      loader.check(name, shape);
      return at::empty(shape, at::TensorOptions().device(device));
    }
    const at::Tensor found = loader.get(name, shape);
    if (found.sizes() != at::IntArrayRef(shape)) {
      return at::zeros(shape, at::TensorOptions().device(device));
    }
    at::Tensor moved = found.to(device);
    *read += found.nbytes();
    if (*read > kReleaseAfter) {
      *read = 0;
      loader.release_pages();
    }
    return moved;
  };
}

WeightSource with_prefix(WeightSource source, std::string prefix) {
  return [source = std::move(source), prefix = std::move(prefix)](const std::string& name,
                                                                  const std::vector<int64_t>& shape) {
    return source(prefix + name, shape);
  };
}

}  // namespace patchioner
