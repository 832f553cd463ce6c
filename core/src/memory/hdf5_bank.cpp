#include "memory/hdf5_bank.hpp"

#include <fmt/ranges.h>
#include <hdf5.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <patchioner/error.hpp>
#include <string_view>
#include <utility>

#include "memory/zero_rows.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
constexpr hsize_t kMostRowsAtOnce = 16384;
constexpr hsize_t kBytesAtOnce = hsize_t{1} << 26;
constexpr hsize_t kWidest = hsize_t{1} << 16;       // of an embedding
constexpr hsize_t kLongestText = hsize_t{1} << 20;  // bytes of a text of fixed length
constexpr std::string_view kEmbeddingsEnding = "-embeddings";
constexpr std::string_view kTextEnding = "-text";

/// Closes an HDF5 identifier.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) {
      close_(id_);
    }
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }
  bool valid() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// The library of Debian is not built for threads, and prints its errors unless told not to.
std::mutex& library_mutex() {
  static std::mutex mutex;
  static const herr_t silent = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  (void)silent;
  return mutex;
}

/// So many rows of so many bytes are read together.
hsize_t rows_at_once(hsize_t row_bytes) {
  return std::clamp<hsize_t>(kBytesAtOnce / row_bytes, 1, kMostRowsAtOnce);
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path)
      : path_(path.string()), file_(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose) {
    if (!file_.valid()) {
      throw Error(ErrorKind::checkpoint, "{}: the HDF5 file cannot be opened; it is damaged or cut", path_);
    }
  }

  Hdf5Bank read() {
    const std::string name = find_bank();
    Hdf5Bank bank;
    std::vector<bool> kept;
    read_embeddings(name + std::string(kEmbeddingsEnding), bank, kept);
    read_texts(name + std::string(kTextEnding), kept, bank);
    bank.metadata = {{"format", "hdf5"}, {"dataset", name}};
    return bank;
  }

 private:
  /// The one name for which there are embeddings.
  std::string find_bank() {
    std::vector<std::string> links;
    const auto collect = [](hid_t, const char* link, const H5L_info_t*, void* data) -> herr_t {
      static_cast<std::vector<std::string>*>(data)->emplace_back(link);
      return 0;
    };
    if (H5Literate(file_, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &links) < 0) {
      throw Error(ErrorKind::checkpoint, "{}: the list of datasets cannot be read; the HDF5 file is damaged",
                  path_);
    }
    std::vector<std::string> names;
    for (const std::string& link : links) {
      if (link.ends_with(kEmbeddingsEnding)) {
        names.push_back(link.substr(0, link.size() - kEmbeddingsEnding.size()));
      }
    }
    if (names.size() != 1) {
      throw Error(ErrorKind::checkpoint,
                  "{}: a memory bank has one dataset '<name>-embeddings' and one '<name>-text'; this HDF5 "
                  "file has {} of the former among [{}]",
                  path_, names.size(), fmt::join(links, ", "));
    }
    const std::string text = names.front() + std::string(kTextEnding);
    if (std::find(links.begin(), links.end(), text) == links.end()) {
      throw Error(ErrorKind::checkpoint, "{}: the dataset '{}' is missing beside '{}{}'", path_, text,
                  names.front(), kEmbeddingsEnding);
    }
    return names.front();
  }

  std::vector<hsize_t> extent(hid_t space) const {
    const int dimensions = H5Sget_simple_extent_ndims(space);
    std::vector<hsize_t> sizes(static_cast<size_t>(std::max(dimensions, 0)));
    if (dimensions > 0) {
      H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
    }
    return sizes;
  }

  [[noreturn]] void refuse(const std::string& dataset, const std::string& what) const {
    throw Error(ErrorKind::checkpoint, "{}: dataset '{}' {}", path_, dataset, what);
  }

  /// Rows [begin, begin + count) of `dataset` into `out`.
  void read_rows(hid_t dataset, const std::string& name, hid_t type, hsize_t begin, hsize_t count,
                 hsize_t width, void* out) const {
    const Handle file_space(H5Dget_space(dataset), H5Sclose);
    const std::array<hsize_t, 2> start = {begin, 0};
    const std::array<hsize_t, 2> size = {count, width};
    const int dimensions = width == 0 ? 1 : 2;
    const Handle memory_space(H5Screate_simple(dimensions, size.data(), nullptr), H5Sclose);
    if (H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr) < 0 ||
        H5Dread(dataset, type, memory_space, file_space, H5P_DEFAULT, out) < 0) {
      refuse(name, fmt::format("cannot be read at row {}; the HDF5 file is damaged or cut", begin));
    }
  }

  /// Fills bank.embeddings with the rows that are not zero and says in `kept` which these are.
  void read_embeddings(const std::string& name, Hdf5Bank& bank, std::vector<bool>& kept) {
    const Handle dataset(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), H5Dclose);
    if (!dataset.valid()) {
      refuse(name, "cannot be opened; the HDF5 file is damaged");
    }
    const Handle space(H5Dget_space(dataset), H5Sclose);
    const std::vector<hsize_t> sizes = extent(space);
    const Handle type(H5Dget_type(dataset), H5Tclose);
    if (sizes.size() != 2 || sizes[1] == 0 || H5Tget_class(type) != H5T_FLOAT) {
      refuse(name, "must hold a table of floating-point numbers, one row a text");
    }
    constexpr hsize_t kMostValues = hsize_t{1} << 40;
    if (sizes[1] > kWidest || sizes[0] > kMostValues / sizes[1]) {
      refuse(name,
             fmt::format("claims to have {} rows of {} numbers, which is too large", sizes[0], sizes[1]));
    }
    const hsize_t step = rows_at_once(sizes[1] * sizeof(float));
    const auto width = static_cast<int64_t>(sizes[1]);
    std::vector<at::Tensor> parts;
    for (hsize_t begin = 0; begin < sizes[0]; begin += step) {
      const hsize_t count = std::min(step, sizes[0] - begin);
      at::Tensor part = at::empty({static_cast<int64_t>(count), width}, at::kFloat);
      read_rows(dataset, name, H5T_NATIVE_FLOAT, begin, count, sizes[1], part.data_ptr<float>());
      const std::vector<bool> filled = filled_rows(part);
      kept.insert(kept.end(), filled.begin(), filled.end());
      part = select_rows(part, filled);
      if (part.size(0) > 0) {
        parts.push_back(part);
      }
    }
    bank.embeddings = parts.empty() ? at::empty({0, width}, at::kFloat) : join(parts, width);
    bank.dropped_rows = static_cast<int64_t>(kept.size()) - bank.embeddings.size(0);
  }

  /// One tensor of all parts; each part is freed once it is copied, so that the bank is in memory little more
  /// than once.
  static at::Tensor join(std::vector<at::Tensor>& parts, int64_t width) {
    int64_t rows = 0;
    for (const at::Tensor& part : parts) {
      rows += part.size(0);
    }
    at::Tensor all = at::empty({rows, width}, at::kFloat);
    int64_t begin = 0;
    for (at::Tensor& part : parts) {
      all.narrow(0, begin, part.size(0)).copy_(part);
      begin += part.size(0);
      part.reset();
    }
    return all;
  }

  void read_texts(const std::string& name, const std::vector<bool>& kept, Hdf5Bank& bank) {
    const Handle dataset(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), H5Dclose);
    if (!dataset.valid()) {
      refuse(name, "cannot be opened; the HDF5 file is damaged");
    }
    const Handle space(H5Dget_space(dataset), H5Sclose);
    const std::vector<hsize_t> sizes = extent(space);
    const Handle type(H5Dget_type(dataset), H5Tclose);
    if (sizes.size() != 1 || H5Tget_class(type) != H5T_STRING) {
      refuse(name, "must hold a list of texts");
    }
    if (sizes[0] < kept.size()) {
      throw Error(ErrorKind::data,
                  "{}: there are {} texts for {} rows of embeddings; the bank is damaged, build it again",
                  path_, sizes[0], kept.size());
    }
    const bool variable = H5Tis_variable_str(type) > 0;
    const size_t fixed_size = H5Tget_size(type);
    if (!variable && (fixed_size == 0 || fixed_size > kLongestText)) {
      refuse(name, fmt::format("claims to have texts of {} bytes each, which is too large", fixed_size));
    }
    const Handle memory_type(H5Tcopy(type), H5Tclose);
    const hsize_t step = rows_at_once(variable ? sizeof(char*) : fixed_size);
    for (hsize_t begin = 0; begin < kept.size(); begin += step) {
      const hsize_t count = std::min<hsize_t>(step, kept.size() - begin);
      const auto keep = [&](hsize_t index, std::string text) {
        if (kept[begin + index]) {
          bank.texts.push_back(std::move(text));
        }
      };
      if (variable) {
        std::vector<char*> texts(count, nullptr);
        read_rows(dataset, name, memory_type, begin, count, 0, texts.data());
        for (hsize_t index = 0; index < count; ++index) {
          keep(index, texts[index] == nullptr ? "" : texts[index]);
        }
        const Handle memory_space(H5Screate_simple(1, &count, nullptr), H5Sclose);
        H5Dvlen_reclaim(memory_type, memory_space, H5P_DEFAULT, texts.data());
      } else {
        std::string texts(count * fixed_size, '\0');
        read_rows(dataset, name, memory_type, begin, count, 0, texts.data());
        for (hsize_t index = 0; index < count; ++index) {
          const std::string text = texts.substr(index * fixed_size, fixed_size);
          keep(index, text.substr(0, text.find('\0')));
        }
      }
    }
  }

  std::string path_;
  Handle file_;
};

}  // namespace

bool is_hdf5(const std::filesystem::path& path) {
  return MappedFile::open(path)->text().starts_with(kSignature);
}

Hdf5Bank read_hdf5_bank(const std::filesystem::path& path) {
  const std::lock_guard lock(library_mutex());
  return Reader(path).read();
}

}  // namespace patchioner
