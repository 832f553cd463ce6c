#include "checkpoint/torch_files.hpp"

#include <patchioner/error.hpp>
#include <unordered_map>

#include "checkpoint/torch_stream.hpp"
#include "checkpoint/torch_tree.hpp"
#include "checkpoint/zip_archive.hpp"

namespace patchioner {
namespace {

/// The pickle of a model has some kilobytes; a training set of captions with embeddings, some gigabytes, is
/// no archive entry.
constexpr uint64_t kMostPickleBytes = uint64_t{1} << 29;

class TorchSource : public TensorSource {
 public:
  TorchSource(CheckpointFormat format, std::shared_ptr<const MappedFile> file,
              std::shared_ptr<const ZipArchive> archive, TorchTree tree)
      : format_(format), file_(std::move(file)), archive_(std::move(archive)), tree_(std::move(tree)) {
    for (size_t i = 0; i < tree_.infos.size(); ++i) {
      index_.emplace(tree_.infos[i].name, i);
    }
  }

  const std::vector<TensorInfo>& infos() const override { return tree_.infos; }
  CheckpointFormat format() const override { return format_; }
  const std::map<std::string, std::string>& metadata() const override { return tree_.metadata; }
  const std::map<std::string, std::string>& unreadable() const override { return tree_.unreadable; }
  std::vector<std::filesystem::path> files() const override { return {file_->path()}; }
  void release_pages() const override { file_->release_pages(); }
  std::vector<LayoutItem> layout() const override { return tree_.layout; }

  at::Tensor read(const std::string& name) const override {
    const TensorRecord& record = tree_.records[index_.at(name)];
    const bool empty = checked_element_count(record.view.shape).value_or(0) == 0;
    return tensor_of(
        record.place.entry != nullptr && !empty ? archive_->read(*record.place.entry) : record.place.bytes,
        record.view);
  }

 private:
  CheckpointFormat format_;
  std::shared_ptr<const MappedFile> file_;
  std::shared_ptr<const ZipArchive> archive_;
  TorchTree tree_;
  std::unordered_map<std::string, size_t> index_;
};

/// The folder of the archive ("archive/", or empty), found by the one data.pkl in it.
std::string top_folder(const ZipArchive& archive) {
  constexpr std::string_view kPickle = "data.pkl";
  const std::string path = archive.file()->path().string();
  const ZipEntry* found = nullptr;
  for (const ZipEntry& entry : archive.entries()) {
    const size_t slash = entry.name.find('/');
    const std::string_view rest = slash == std::string::npos ? std::string_view(entry.name)
                                                             : std::string_view(entry.name).substr(slash + 1);
    if (rest != kPickle) {
      continue;
    }
    if (found != nullptr) {
      throw Error(ErrorKind::checkpoint, "{}: the archive holds two models, '{}' and '{}'; keep one of them",
                  path, found->name, entry.name);
    }
    found = &entry;
  }
  if (found == nullptr) {
    throw Error(ErrorKind::checkpoint, "{}: this ZIP archive is no PyTorch checkpoint: it has no data.pkl{}",
                path,
                archive.entries().empty() ? std::string()
                                          : fmt::format(", but '{}'", archive.entries().front().name));
  }
  return found->name.substr(0, found->name.size() - kPickle.size());
}

/// The pickle of an archive, after the checks that come before it.
PickleGraph archive_pickle(const ZipArchive& archive, const std::string& folder) {
  const std::string path = archive.file()->path().string();
  if (const ZipEntry* order = archive.find(folder + "byteorder")) {
    const ByteRange content = archive.read(*order);
    const std::string_view text(reinterpret_cast<const char*>(content.bytes.data()), content.bytes.size());
    if (text != "little") {
      throw Error(
          ErrorKind::checkpoint,
          "{}: it was written on a machine of byte order '{}'; only little-endian checkpoints are read", path,
          text.substr(0, 20));
    }
  }
  const ZipEntry& pickle = *archive.find(folder + "data.pkl");
  if (pickle.size > kMostPickleBytes) {
    throw Error(ErrorKind::checkpoint, "{}: its data.pkl claims {} bytes; at most {} are read", path,
                pickle.size, kMostPickleBytes);
  }
  return read_pickle(archive.read(pickle), path);
}

StoragePlace find_in_archive(const ZipArchive& archive, const std::string& folder, const StorageId& id) {
  const std::string path = archive.file()->path().string();
  const std::string name = folder + "data/" + id.key;
  const ZipEntry* entry = archive.find(name);
  if (entry == nullptr) {
    throw Error(ErrorKind::checkpoint,
                "{}: the storage '{}' is not in the archive; the file is damaged, fetch or write it again",
                path, name);
  }
  int64_t size = 0;
  if (__builtin_mul_overflow(id.elements, static_cast<int64_t>(at::elementSize(id.dtype)), &size) ||
      static_cast<uint64_t>(size) != entry->size) {
    throw Error(
        ErrorKind::checkpoint,
        "{}: the storage '{}' holds {} bytes where {} elements of {} were announced; the file is damaged",
        path, name, entry->size, id.elements, dtype_name(id.dtype));
  }
  if (id.window_elements != id.elements) {
    throw Error(ErrorKind::checkpoint,
                "{}: the storage '{}' is a window, which archives do not have; the file is damaged", path,
                name);
  }
  archive.check(*entry);
  return {entry, {}, entry->size};
}

}  // namespace

std::shared_ptr<const TensorSource> open_torch_zip(std::shared_ptr<const MappedFile> file,
                                                   const std::optional<std::string>& root) {
  const auto archive = ZipArchive::open(file);
  const std::string folder = top_folder(*archive);
  const PickleGraph graph = archive_pickle(*archive, folder);
  const auto find = [&](const StorageId& id) { return find_in_archive(*archive, folder, id); };
  TorchTree tree = walk_torch_object(graph, find, file->path().string(), root);
  const CheckpointFormat format = archive->find(folder + "constants.pkl") != nullptr
                                      ? CheckpointFormat::torch_script
                                      : CheckpointFormat::torch_zip;
  return std::make_shared<TorchSource>(format, std::move(file), archive, std::move(tree));
}

std::shared_ptr<const TensorSource> open_torch_stream(std::shared_ptr<const MappedFile> file,
                                                      const std::optional<std::string>& root) {
  const std::string path = file->path().string();
  const TorchStream stream = read_torch_stream({file->bytes(), file}, path);
  const auto find = [&](const StorageId& id) { return find_in_stream(stream, id, path); };
  TorchTree tree = walk_torch_object(stream.object, find, path, root);
  return std::make_shared<TorchSource>(CheckpointFormat::torch_legacy, std::move(file), nullptr,
                                       std::move(tree));
}

bool looks_like_pickle(std::span<const std::byte> bytes) {
  if (bytes.size() < 2) {
    return false;
  }
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  // Protocols 2 to 5 begin with their number; 0 and 1 with a mark, a global or a container, and end with the
  // stop.
  return (first == 0x80 && second >= 2 && second <= 5) ||
         (std::string_view("(c]})").find(static_cast<char>(first)) != std::string_view::npos &&
          bytes.back() == std::byte{'.'});
}

std::shared_ptr<const TensorSource> open_pickle(std::shared_ptr<const MappedFile> file,
                                                const std::optional<std::string>& root) {
  const std::string path = file->path().string();
  const PickleGraph graph = read_pickle({file->bytes(), file}, path);
  const auto find = [&path](const StorageId& id) -> StoragePlace {
    throw Error(ErrorKind::checkpoint,
                "{}: the storage '{}' lies outside of this pickle; give the file that torch.save wrote", path,
                id.key);
  };
  TorchTree tree = walk_torch_object(graph, find, path, root);
  if (tree.infos.empty()) {
    throw Error(ErrorKind::checkpoint, "{}: this pickle holds no tensors, it is {}", path,
                tree.layout.front().what);
  }
  return std::make_shared<TorchSource>(CheckpointFormat::pickle, std::move(file), nullptr, std::move(tree));
}

std::shared_ptr<const PickleGraph> open_object(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  const std::string name = path.string();
  if (looks_like_zip(file->bytes())) {
    const auto archive = ZipArchive::open(file);
    return std::make_shared<PickleGraph>(archive_pickle(*archive, top_folder(*archive)));
  }
  if (looks_like_torch_stream(file->bytes())) {
    return std::make_shared<PickleGraph>(std::move(read_torch_stream({file->bytes(), file}, name).object));
  }
  if (!looks_like_pickle(file->bytes())) {
    throw Error(ErrorKind::checkpoint, "{}: this is no pickle", name);
  }
  return std::make_shared<PickleGraph>(read_pickle({file->bytes(), file}, name));
}

}  // namespace patchioner
