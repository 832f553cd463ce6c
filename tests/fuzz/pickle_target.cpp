// Any bytes as the pickle of a torch archive whose storages "0" to "9" hold 64 bytes each, without the
// archive's checksums in the way; and as pickled settings.
#include "checkpoint/pickle_values.hpp"
#include "checkpoint/torch_tree.hpp"
#include "fuzz/input_file.hpp"
#include "fuzz/refusals.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace patchioner;
  constexpr size_t kStorageBytes = 64;
  const auto storage = std::make_shared<std::array<std::byte, kStorageBytes>>();
  const auto find = [&](const StorageId& id) -> StoragePlace {
    const uint64_t item_size = at::elementSize(id.dtype);
    if (id.key.size() != 1 || static_cast<uint64_t>(id.window_elements) > kStorageBytes / item_size) {
      throw Error(ErrorKind::checkpoint, "no such storage");
    }
    return {nullptr,
            {std::span<const std::byte>(*storage), storage},
            static_cast<uint64_t>(id.window_elements) * item_size};
  };
  allow_refusal({ErrorKind::checkpoint}, [&] {
    const PickleGraph graph =
        read_pickle({std::as_bytes(std::span<const uint8_t>(data, size)), nullptr}, "fuzz");
    const TorchTree tree = walk_torch_object(graph, find, "fuzz", std::nullopt);
    for (const TensorRecord& record : tree.records) {
      tensor_of(record.place.bytes, record.view).to(at::kFloat).sum();
    }
  });
  const InputFile file(data, size);
  allow_refusal({ErrorKind::checkpoint}, [&] {
    read_pickle_plain_values(file.path()).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  });
  return 0;
}
