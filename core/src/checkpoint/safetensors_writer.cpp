#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>
#include <set>

#include "checkpoint/safetensors.hpp"
#include "checkpoint/tensor_bytes.hpp"

namespace patchioner {

std::string safetensors_header(std::string json) {
  constexpr uint64_t kAlignment = 64;
  json.resize((8 + json.size() + kAlignment - 1) / kAlignment * kAlignment - 8, ' ');
  const uint64_t length = json.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + json;
}

void write_safetensors(const std::filesystem::path& path,
                       const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) {
    header["__metadata__"] = metadata;
  }
  // The data is laid out from the widest type to the narrowest, so that every tensor stays aligned to its
  // elements.
  std::vector<size_t> order(tensors.size());
  for (size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t left, size_t right) {
    return tensors[left].second.element_size() > tensors[right].second.element_size();
  });
  std::vector<uint64_t> begins(tensors.size());
  uint64_t position = 0;
  for (const size_t i : order) {
    begins[i] = position;
    position += static_cast<uint64_t>(tensors[i].second.numel()) * tensors[i].second.element_size();
  }
  std::set<std::string_view> names;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, tensor] = tensors[i];
    if (name == "__metadata__" || !names.insert(name).second) {
      throw Error(ErrorKind::internal, "{}: the tensor name '{}' cannot be written twice or is reserved",
                  path.string(), name);
    }
    const uint64_t size = static_cast<uint64_t>(tensor.numel()) * tensor.element_size();
    header[name] = {{"dtype", safetensors_dtype(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {begins[i], begins[i] + size}}};
  }
  AtomicFile file(path);
  file.write(safetensors_header(header.dump()));
  for (const size_t i : order) {
    const at::Tensor tensor = tensors[i].second.detach().cpu().contiguous();
    file.write(tensor.data_ptr(), static_cast<size_t>(tensor.numel()) * tensor.element_size());
  }
  file.commit();
}

}  // namespace patchioner
