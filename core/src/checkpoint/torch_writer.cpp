#include <patchioner/error.hpp>
#include <set>

#include "checkpoint/state_dict.hpp"
#include "checkpoint/tensor_bytes.hpp"
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

/// For each tensor the number of its storage: its own position, or that of an earlier tensor of the same
/// memory (a tied weight), whose storage it shares as it would in a file of PyTorch's.
std::vector<size_t> storages_of(const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  std::vector<size_t> shared_with(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const at::Tensor& tensor = tensors[i].second;
    shared_with[i] = i;
    for (size_t earlier = 0; earlier < i && tensor.is_contiguous() && tensor.numel() > 0; ++earlier) {
      const at::Tensor& other = tensors[earlier].second;
      if (other.is_contiguous() && other.const_data_ptr() == tensor.const_data_ptr() &&
          other.numel() == tensor.numel() && other.scalar_type() == tensor.scalar_type()) {
        shared_with[i] = earlier;
        break;
      }
    }
  }
  return shared_with;
}

}  // namespace

void write_torch_state_dict(const std::filesystem::path& path,
                            const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  PickleWriter pickle;
  pickle.empty_ordered_dict();
  pickle.opcode('(');
  std::set<std::string_view> names;
  const std::vector<size_t> storages = storages_of(tensors);
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, tensor] = tensors[i];
    if (!names.insert(name).second) {
      throw Error(ErrorKind::internal, "{}: the tensor name '{}' cannot be written twice", path.string(),
                  name);
    }
    pickle.text(name);
    pickle.global("torch._utils", "_rebuild_tensor_v2");
    pickle.opcode('(');
    pickle.opcode('(');
    pickle.text("storage");
    pickle.global("torch", storage_name(tensor.scalar_type()));
    pickle.text(std::to_string(storages[i]));
    pickle.text("cpu");
    pickle.integer(tensor.numel());
    pickle.opcode('t');
    pickle.opcode('Q');
    pickle.integer(0);
    pickle.integers(tensor.sizes());
    pickle.integers(contiguous_strides(tensor.sizes()));
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
    if (storages[i] != i) {
      continue;
    }
    const at::Tensor tensor = tensors[i].second.detach().cpu().contiguous();
    archive.add(fmt::format("archive/data/{}", i), tensor.data_ptr(),
                static_cast<uint64_t>(tensor.numel()) * tensor.element_size());
  }
  archive.add("archive/version", "3\n");
  archive.finish();
}

}  // namespace patchioner
