#include "checkpoint/torch_writer.hpp"

#include <patchioner/error.hpp>
#include <set>

#include "checkpoint/tensor_bytes.hpp"
#include "checkpoint/tensor_to_write.hpp"
#include "checkpoint/zip_writer.hpp"

namespace patchioner {
namespace {

/// The few opcodes of pickle protocol 2 that a state dict takes (the readers' table is in
/// pickle_machine.cpp).
class PickleWriter {
 public:
  PickleWriter() { bytes_ += "\x80\x02"; }

  void opcode(char code) { bytes_ += code; }

  void global(std::string_view module, std::string_view name) {
    bytes_ += fmt::format("c{}\n{}\n", module, name);
  }

  void text(std::string_view text) {
    bytes_ += 'X';
    number(static_cast<uint32_t>(text.size()));
    bytes_ += text;
  }

  void integer(int64_t value) {
    if (value >= std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max()) {
      bytes_ += 'J';
      number(static_cast<int32_t>(value));
    } else {
      bytes_ += "\x8a\x08";  // LONG1 of eight bytes
      number(value);
    }
  }

  void integers(at::IntArrayRef values) {
    opcode('(');
    for (const int64_t value : values) {
      integer(value);
    }
    opcode('t');
  }

  void empty_ordered_dict() {
    global("collections", "OrderedDict");
    opcode(')');
    opcode('R');
  }

  std::string finish() {
    opcode('.');
    return std::move(bytes_);
  }

 private:
  template <class Number>
  void number(Number value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  std::string bytes_;
};

std::string_view storage_name(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
      return "DoubleStorage";
    case at::kFloat:
      return "FloatStorage";
    case at::kHalf:
      return "HalfStorage";
    case at::kBFloat16:
      return "BFloat16Storage";
    case at::kLong:
      return "LongStorage";
    case at::kInt:
      return "IntStorage";
    case at::kShort:
      return "ShortStorage";
    case at::kChar:
      return "CharStorage";
    case at::kByte:
      return "ByteStorage";
    case at::kBool:
      return "BoolStorage";
    default:
      throw Error(ErrorKind::checkpoint, "a tensor of type {} cannot be written to a checkpoint",
                  dtype_name(dtype));
  }
}

}  // namespace

void stream_torch_archive(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                          ArchiveStorage storage) {
  PickleWriter pickle;
  pickle.empty_ordered_dict();
  pickle.opcode('(');
  std::set<std::string_view> names;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorInfo& info = tensors[i].info;
    if (!names.insert(info.name).second) {
      throw Error(ErrorKind::internal, "{}: the tensor name '{}' cannot be written twice", path.string(),
                  info.name);
    }
    pickle.text(info.name);
    pickle.global("torch._utils", "_rebuild_tensor_v2");
    pickle.opcode('(');
    pickle.opcode('(');
    pickle.text("storage");
    pickle.global("torch", storage_name(info.dtype));
    pickle.text(std::to_string(tensors[i].same_as.value_or(i)));
    pickle.text("cpu");
    pickle.integer(checked_element_count(info.shape).value_or(0));
    pickle.opcode('t');
    pickle.opcode('Q');
    pickle.integer(0);
    pickle.integers(info.shape);
    pickle.integers(contiguous_strides(info.shape));
    pickle.opcode('\x89');  // needs no gradient
    pickle.empty_ordered_dict();
    pickle.opcode('t');
    pickle.opcode('R');
  }
  pickle.opcode('u');

  // The top folder's name carries no meaning; PyTorch takes the file's, which makes equal tensors unequal
  // files.
  ZipWriter archive(path);
  archive.add("archive/data.pkl", pickle.finish());
  archive.add("archive/byteorder", "little");
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].same_as) {
      continue;
    }
    const at::Tensor tensor = made(tensors[i], path);
    const std::string name = fmt::format("archive/data/{}", i);
    const uint64_t size = byte_count(tensors[i].info);
    if (storage == ArchiveStorage::deflated) {
      archive.add_deflated(name, tensor.data_ptr(), size);
    } else {
      archive.add(name, tensor.data_ptr(), size);
    }
  }
  archive.add("archive/version", "3\n");
  archive.finish();
}

void stream_torch_state_dict(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors) {
  stream_torch_archive(path, tensors, ArchiveStorage::plain);
}

void write_torch_state_dict(const std::filesystem::path& path,
                            const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  stream_torch_archive(path, at_hand(tensors), ArchiveStorage::plain);
}

void write_deflated_state_dict(const std::filesystem::path& path,
                               const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  stream_torch_archive(path, at_hand(tensors), ArchiveStorage::deflated);
}

}  // namespace patchioner
