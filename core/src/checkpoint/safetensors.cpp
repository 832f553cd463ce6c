#include "checkpoint/safetensors.hpp"

#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>
#include <unordered_map>
#include <unordered_set>

#include "checkpoint/tensor_bytes.hpp"

namespace patchioner {
namespace {

static_assert(std::endian::native == std::endian::little,
              "checkpoints are little-endian and are read in place");

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMostHeaderBytes = 100'000'000;  // as the format's own library

struct DtypeWord {
  std::string_view word;
  at::ScalarType dtype;
};
constexpr DtypeWord kDtypes[] = {{"F64", at::kDouble},    {"F32", at::kFloat}, {"F16", at::kHalf},
                                 {"BF16", at::kBFloat16}, {"I64", at::kLong},  {"I32", at::kInt},
                                 {"I16", at::kShort},     {"I8", at::kChar},   {"U8", at::kByte},
                                 {"BOOL", at::kBool}};

struct TensorEntry {
  TensorInfo info;
  uint64_t begin = 0;
  uint64_t end = 0;
};

/// Receives the header as it is parsed, so that a hostile one never becomes a tree in memory and duplicate
/// names are seen.
class HeaderHandler {
 public:
  explicit HeaderHandler(const std::string& path) : path_(path) {}

  std::vector<TensorEntry> entries;
  std::map<std::string, std::string> metadata;

  bool null() { return unexpected("null"); }
  bool boolean(bool) { return unexpected("a boolean"); }
  bool number_integer(int64_t) { return unexpected("a negative number"); }
  bool number_float(double, const std::string&) { return unexpected("a number that is no 64-bit integer"); }
  bool binary(nlohmann::json::binary_t&) { return unexpected("binary data"); }

  bool number_unsigned(uint64_t value) {
    if (!in_array_) {
      return unexpected("a number");
    }
    if (field_ == "shape") {
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        refuse("tensor '{}' has more elements than can be counted", name_);
      }
      entries.back().info.shape.push_back(static_cast<int64_t>(value));
    } else {
      offsets_.push_back(value);
    }
    return true;
  }

  bool string(std::string& value) {
    if (place_ == Place::metadata) {
      if (!metadata.emplace(field_, value).second) {
        refuse("the key '{}' stands twice in __metadata__", field_);
      }
      return true;
    }
    if (place_ != Place::tensor || field_ != "dtype" || in_array_) {
      return unexpected("a text");
    }
    for (const auto& [word, dtype] : kDtypes) {
      if (value == word) {
        entries.back().info.dtype = dtype;
        return true;
      }
    }
    refuse(
        "tensor '{}' has the unknown dtype '{}'; F64, F32, F16, BF16, I64, I32, I16, I8, U8 and BOOL are "
        "read",
        name_, value);
  }

  bool start_object(size_t) {
    switch (place_) {
      case Place::outside:
        place_ = Place::top;
        return true;
      case Place::top:
        if (name_ == "__metadata__") {
          place_ = Place::metadata;
          return true;
        }
        place_ = Place::tensor;
        entries.emplace_back().info.name = name_;
        offsets_.clear();
        fields_.clear();
        return true;
      default:
        return unexpected("an object");
    }
  }

  bool key(std::string& key) {
    if (place_ == Place::top) {
      name_ = key;
      if (!names_.insert(key).second) {
        refuse("the name '{}' stands twice in the header", key);
      }
      return true;
    }
    field_ = key;
    if (place_ == Place::tensor) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") {
        refuse("tensor '{}' has the unknown field '{}'", name_, key);
      }
      if (std::find(fields_.begin(), fields_.end(), key) != fields_.end()) {
        refuse("tensor '{}' says '{}' twice", name_, key);
      }
      fields_.push_back(key);
    }
    return true;
  }

  bool end_object() {
    if (place_ == Place::tensor) {
      if (fields_.size() != 3 || offsets_.size() != 2) {
        refuse("tensor '{}' must have a dtype, a shape and two data_offsets", name_);
      }
      entries.back().begin = offsets_[0];
      entries.back().end = offsets_[1];
    }
    place_ = place_ == Place::top ? Place::outside : Place::top;
    return true;
  }

  bool start_array(size_t) {
    if (place_ != Place::tensor || field_ == "dtype" || in_array_) {
      return unexpected("a list");
    }
    in_array_ = true;
    return true;
  }

  bool end_array() {
    in_array_ = false;
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) {
    refuse("the header is not JSON (it fails at its byte {}); the file is damaged: fetch it again", position);
  }

 private:
  enum class Place { outside, top, metadata, tensor };

  template <class... Arguments>
  [[noreturn]] void refuse(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    throw Error(ErrorKind::checkpoint, "{}: not a valid safetensors file: {}", path_,
                fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  bool unexpected(std::string_view what) const {
    if (place_ == Place::outside) {
      refuse("the header is {}, not an object", what);
    }
    refuse("{} stands where none may be, under '{}'", what, name_);
  }

  const std::string& path_;
  Place place_ = Place::outside;
  bool in_array_ = false;
  std::string name_;
  std::string field_;
  std::vector<std::string> fields_;
  std::vector<uint64_t> offsets_;
  std::unordered_set<std::string> names_;
};

class SafetensorsSource : public TensorSource {
 public:
  SafetensorsSource(std::shared_ptr<const MappedFile> file, uint64_t data_start, HeaderHandler header)
      : file_(std::move(file)),
        data_start_(data_start),
        entries_(std::move(header.entries)),
        metadata_(std::move(header.metadata)) {
    for (size_t i = 0; i < entries_.size(); ++i) {
      infos_.push_back(entries_[i].info);
      index_.emplace(entries_[i].info.name, i);
    }
  }

  const std::vector<TensorInfo>& infos() const override { return infos_; }
  CheckpointFormat format() const override { return CheckpointFormat::safetensors; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }
  std::vector<std::filesystem::path> files() const override { return {file_->path()}; }
  void release_pages() const override { file_->release_pages(); }

  at::Tensor read(const std::string& name) const override {
    const TensorEntry& entry = entries_[index_.at(name)];
    const StridedView view{entry.info.dtype, 0, entry.info.shape, contiguous_strides(entry.info.shape)};
    return tensor_of({file_->bytes().subspan(data_start_ + entry.begin, entry.end - entry.begin), file_},
                     view);
  }

 private:
  std::shared_ptr<const MappedFile> file_;
  uint64_t data_start_;
  std::vector<TensorEntry> entries_;
  std::map<std::string, std::string> metadata_;
  std::vector<TensorInfo> infos_;
  std::unordered_map<std::string, size_t> index_;
};

/// Checks that every entry is as long as its shape says and that together they fill the buffer without holes
/// or overlaps.
void check_entries(const std::string& path, const std::vector<TensorEntry>& entries, uint64_t buffer_size) {
  const auto refuse = [&](const TensorEntry& entry, const std::string& what) {
    throw Error(ErrorKind::checkpoint, "{}: not a valid safetensors file: tensor '{}' {}", path,
                entry.info.name, what);
  };
  for (const TensorEntry& entry : entries) {
    const auto count = checked_element_count(entry.info.shape);
    int64_t bytes = 0;
    if (!count ||
        __builtin_mul_overflow(*count, static_cast<int64_t>(at::elementSize(entry.info.dtype)), &bytes)) {
      refuse(entry, fmt::format("has more elements than can be counted, {}", shape_text(entry.info.shape)));
    }
    if (entry.info.shape.size() > 64) {
      refuse(entry, "has more than 64 dimensions");
    }
    if (entry.begin > entry.end || entry.end > buffer_size) {
      refuse(entry, fmt::format("has data_offsets [{},{}], but the file holds {} bytes of data; it may be "
                                "cut short: fetch it again",
                                entry.begin, entry.end, buffer_size));
    }
    if (entry.end - entry.begin != static_cast<uint64_t>(bytes)) {
      refuse(entry, fmt::format("has {} bytes of data, but {} {} takes {}", entry.end - entry.begin,
                                dtype_name(entry.info.dtype), shape_text(entry.info.shape), bytes));
    }
  }
  std::vector<const TensorEntry*> by_place;
  for (const TensorEntry& entry : entries) {
    by_place.push_back(&entry);
  }
  std::sort(by_place.begin(), by_place.end(), [](const TensorEntry* left, const TensorEntry* right) {
    return std::pair(left->begin, left->end) < std::pair(right->begin, right->end);
  });
  uint64_t position = 0;
  for (const TensorEntry* next : by_place) {
    const TensorEntry& entry = *next;
    if (entry.begin != position) {
      refuse(
          entry,
          fmt::format("begins at byte {} of the data where {} was expected: tensors overlap or leave a hole",
                      entry.begin, position));
    }
    position = entry.end;
  }
  if (position != buffer_size) {
    throw Error(ErrorKind::checkpoint,
                "{}: not a valid safetensors file: the last {} bytes belong to no tensor", path,
                buffer_size - position);
  }
}

}  // namespace

std::string_view to_string(CheckpointFormat format) {
  switch (format) {
    case CheckpointFormat::safetensors:
      return "safetensors";
    case CheckpointFormat::torch_zip:
      return "torch zip";
    case CheckpointFormat::torch_script:
      return "TorchScript archive";
    case CheckpointFormat::torch_legacy:
      return "torch stream before 1.6";
    case CheckpointFormat::pickle:
      return "pickle";
  }
  return "unknown";
}

std::string_view safetensors_dtype(at::ScalarType dtype) {
  for (const auto& [word, known] : kDtypes) {
    if (known == dtype) {
      return word;
    }
  }
  throw Error(ErrorKind::checkpoint, "a tensor of type {} cannot be written as safetensors",
              dtype_name(dtype));
}

bool looks_like_safetensors(std::span<const std::byte> bytes) {
  return bytes.size() > kLengthBytes && bytes[kLengthBytes] == std::byte{'{'};
}

std::shared_ptr<const TensorSource> open_safetensors(std::shared_ptr<const MappedFile> file) {
  const std::string path = file->path().string();
  const auto bytes = file->bytes();
  if (bytes.size() < kLengthBytes) {
    throw Error(ErrorKind::checkpoint, "{}: not a valid safetensors file: {} bytes are too few for a header",
                path, bytes.size());
  }
  uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), kLengthBytes);
  if (header_size > kMostHeaderBytes) {
    throw Error(ErrorKind::checkpoint,
                "{}: not a valid safetensors file: the header claims {} bytes; at most {} are read", path,
                header_size, kMostHeaderBytes);
  }
  if (header_size > bytes.size() - kLengthBytes) {
    throw Error(ErrorKind::checkpoint,
                "{}: the safetensors header claims {} bytes, but only {} follow: the file is cut short, "
                "fetch it again",
                path, header_size, bytes.size() - kLengthBytes);
  }
  const std::string_view json = file->text().substr(kLengthBytes, header_size);
  if (json.empty() || json.front() != '{') {
    throw Error(ErrorKind::checkpoint,
                "{}: not a valid safetensors file: the header does not begin with '{{'", path);
  }
  HeaderHandler header(path);
  nlohmann::json::sax_parse(json.begin(), json.end(), &header);
  const uint64_t data_start = kLengthBytes + header_size;
  check_entries(path, header.entries, bytes.size() - data_start);
  return std::make_shared<SafetensorsSource>(std::move(file), data_start, std::move(header));
}

}  // namespace patchioner
