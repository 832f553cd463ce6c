#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>
#include <set>

#include "checkpoint/safetensors.hpp"
#include "checkpoint/tensor_bytes.hpp"
#include "checkpoint/tensor_to_write.hpp"

namespace patchioner {

std::string safetensors_header(std::string json) {
  constexpr uint64_t kAlignment = 64;
  json.resize((8 + json.size() + kAlignment - 1) / kAlignment * kAlignment - 8, ' ');
  const uint64_t length = json.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + json;
}

void stream_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
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
    return at::elementSize(tensors[left].info.dtype) > at::elementSize(tensors[right].info.dtype);
  });
  std::vector<uint64_t> begins(tensors.size());
  uint64_t position = 0;
  for (const size_t i : order) {
    begins[i] = position;
    position += byte_count(tensors[i].info);
  }
  std::set<std::string_view> names;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorInfo& info = tensors[i].info;
    if (info.name == "__metadata__" || !names.insert(info.name).second) {
      throw Error(ErrorKind::internal, "{}: the tensor name '{}' cannot be written twice or is reserved",
                  path.string(), info.name);
    }
    header[info.name] = {{"dtype", safetensors_dtype(info.dtype)},
                         {"shape", info.shape},
                         {"data_offsets", {begins[i], begins[i] + byte_count(info)}}};
  }
  AtomicFile file(path);
  file.write(safetensors_header(header.dump()));
  for (const size_t i : order) {
    const at::Tensor tensor = made(tensors[i], path);
    file.write(tensor.data_ptr(), byte_count(tensors[i].info));
  }
  file.commit();
}

void write_safetensors(const std::filesystem::path& path,
                       const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  stream_safetensors(path, at_hand(tensors), metadata);
}

}  // namespace patchioner
