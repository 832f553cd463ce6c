#include "nn/weights.hpp"

namespace patchioner {

WeightSource weights_from(TensorLoader& loader, at::Device device) {
  return [&loader, device](const std::string& name, const std::vector<int64_t>& shape) {
    if (device.is_meta()) {
      loader.check(name, shape);
      return at::empty(shape, at::TensorOptions().device(device));
    }
    const at::Tensor found = loader.get(name, shape);
    if (found.sizes() != at::IntArrayRef(shape)) {
      return at::zeros(shape, at::TensorOptions().device(device));
    }
    return found.to(device);
  };
}

WeightSource with_prefix(WeightSource source, std::string prefix) {
  return [source = std::move(source), prefix = std::move(prefix)](const std::string& name,
                                                                  const std::vector<int64_t>& shape) {
    return source(prefix + name, shape);
  };
}

}  // namespace patchioner
