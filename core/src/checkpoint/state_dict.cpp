#include "checkpoint/state_dict.hpp"

#include <sys/stat.h>

#include <mutex>
#include <patchioner/error.hpp>
#include <unordered_map>

#include "checkpoint/checkpoint_family.hpp"
#include "checkpoint/open_source.hpp"
#include "support/files.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

/// What wrappers put in front of all names: DataParallel and DistributedDataParallel, Lightning modules,
/// models that hold CLIP as a part.
constexpr std::string_view kWrapperPrefixes[] = {"module.", "model.", "clip."};

/// Tensors that are already in memory.
class MemorySource : public TensorSource {
 public:
  explicit MemorySource(std::map<std::string, at::Tensor> tensors) : tensors_(std::move(tensors)) {
    for (const auto& [name, tensor] : tensors_) {
      infos_.push_back({name, tensor.sizes().vec(), tensor.scalar_type()});
    }
  }
  const std::vector<TensorInfo>& infos() const override { return infos_; }
  at::Tensor read(const std::string& name) const override { return tensors_.at(name).contiguous(); }
  CheckpointFormat format() const override { return CheckpointFormat::safetensors; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }
  std::vector<std::filesystem::path> files() const override { return {}; }

 private:
  std::map<std::string, at::Tensor> tensors_;
  std::vector<TensorInfo> infos_;
  std::map<std::string, std::string> metadata_;
};

/// SHA-256 of a file, remembered as long as the file's size and modification time stay.
std::string remembered_digest(const std::filesystem::path& path) {
  struct Known {
    int64_t size = 0;
    int64_t seconds = 0;
    int64_t nanoseconds = 0;
    std::string digest;
  };
  static std::mutex mutex;
  static std::unordered_map<std::string, Known> known;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return sha256_of_file(path);  // throws, saying why the file cannot be opened
  }
  const std::string key = std::filesystem::absolute(path).lexically_normal().string();
  const std::lock_guard lock(mutex);
  Known& entry = known[key];
  if (entry.digest.empty() || entry.size != status.st_size || entry.seconds != status.st_mtim.tv_sec ||
      entry.nanoseconds != status.st_mtim.tv_nsec) {
    entry = {status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, sha256_of_file(path)};
  }
  return entry.digest;
}

}  // namespace

const std::map<std::string, std::string>& TensorSource::unreadable() const {
  static const std::map<std::string, std::string> none;
  return none;
}

StateDict::StateDict() : StateDict({}, std::make_shared<MemorySource>(std::map<std::string, at::Tensor>{})) {}

StateDict::StateDict(std::filesystem::path path, std::shared_ptr<const TensorSource> source)
    : path_(std::move(path)), source_(std::move(source)) {
  for (const TensorInfo& info : source_->infos()) {
    add({info, info.name, {}});
  }
  for (const auto& [name, problem] : source_->unreadable()) {
    add({{name, {}, at::kFloat}, name, problem});
  }
}

void StateDict::add(Entry entry) {
  const std::string name = entry.info.name;
  if (!index_.emplace(name, entries_.size()).second) {
    throw Error(ErrorKind::checkpoint, "{}: two tensors come to the same name '{}'", path_.string(), name);
  }
  entries_.push_back(std::move(entry));
}

StateDict StateDict::open(const std::filesystem::path& path, std::optional<std::string> root) {
  StateDict dict(path, open_source(path, root));
  if (root) {
    const bool flat = dict.format() == CheckpointFormat::safetensors && !root->empty();
    return flat ? dict.with_prefix(*root + ".") : dict;
  }
  std::string dropped;
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view prefix : kWrapperPrefixes) {
      const std::vector<std::string> names = dict.names();
      const auto wrapped = [prefix](const std::string& name) {
        return name.size() > prefix.size() && name.starts_with(prefix);
      };
      if (!names.empty() && std::all_of(names.begin(), names.end(), wrapped)) {
        dict = dict.with_prefix(prefix);
        dropped += prefix;
        again = true;
      }
    }
  }
  dict.dropped_prefix_ = dropped;
  return dict;
}

StateDict StateDict::from_tensors(std::map<std::string, at::Tensor> tensors, std::string name) {
  return StateDict(std::move(name), std::make_shared<MemorySource>(std::move(tensors)));
}

CheckpointFormat StateDict::format() const {
  return source_->format();
}

const std::map<std::string, std::string>& StateDict::metadata() const {
  return source_->metadata();
}

std::vector<std::string> StateDict::names() const {
  std::vector<std::string> names;
  names.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    if (entry.problem.empty()) {
      names.push_back(entry.info.name);
    }
  }
  return names;
}

const StateDict::Entry* StateDict::find(std::string_view name) const {
  auto found = index_.find(name);
  if (found == index_.end() && !dropped_prefix_.empty() && name.starts_with(dropped_prefix_)) {
    found = index_.find(name.substr(dropped_prefix_.size()));
  }
  return found == index_.end() ? nullptr : &entries_[found->second];
}

bool StateDict::contains(std::string_view name) const {
  return info(name) != nullptr;
}

bool StateDict::any_begins_with(std::string_view start) const {
  for (auto next = index_.lower_bound(start); next != index_.end() && next->first.starts_with(start);
       ++next) {
    if (entries_[next->second].problem.empty()) {
      return true;
    }
  }
  return false;
}

std::string_view StateDict::without_dropped(std::string_view prefix) const {
  if (!dropped_prefix_.empty() && prefix.starts_with(dropped_prefix_) && !any_begins_with(dropped_prefix_)) {
    prefix.remove_prefix(dropped_prefix_.size());
  }
  return prefix;
}

bool StateDict::contains_prefix(std::string_view prefix) const {
  return any_begins_with(without_dropped(prefix));
}

const TensorInfo* StateDict::info(std::string_view name) const {
  const Entry* entry = find(name);
  return entry != nullptr && entry->problem.empty() ? &entry->info : nullptr;
}

std::string StateDict::unreadable(std::string_view name) const {
  const Entry* entry = find(name);
  return entry == nullptr ? std::string() : entry->problem;
}

at::Tensor StateDict::tensor(std::string_view name) const {
  const Entry* entry = find(name);
  if (entry == nullptr) {
    throw Error(ErrorKind::checkpoint, "{}: there is no tensor '{}'{}", path_.string(), name,
                suggestion(name, names()));
  }
  if (!entry->problem.empty()) {
    throw Error(ErrorKind::checkpoint, "{}: '{}' cannot be read as a tensor: it is {}", path_.string(), name,
                entry->problem);
  }
  return source_->read(entry->source_name);
}

StateDict StateDict::with_prefix(std::string_view prefix) const {
  prefix = without_dropped(prefix);
  StateDict part;
  part.path_ = path_;
  part.source_ = source_;
  for (const Entry& entry : entries_) {
    if (entry.info.name.starts_with(prefix)) {
      Entry shown = entry;
      shown.info.name.erase(0, prefix.size());
      part.add(std::move(shown));
    }
  }
  return part;
}

StateDict StateDict::renamed(const std::function<std::string(const std::string&)>& rename) const {
  StateDict other;
  other.path_ = path_;
  other.source_ = source_;
  for (const Entry& entry : entries_) {
    std::string name = rename(entry.info.name);
    if (!name.empty()) {
      Entry shown = entry;
      shown.info.name = std::move(name);
      other.add(std::move(shown));
    }
  }
  return other;
}

std::string StateDict::description() const {
  const std::string words = identify(*this).words;
  return fmt::format("{} ({}{})", path_.filename().string(), to_string(format()),
                     words.empty() ? std::string() : ", looks like " + words);
}

std::string StateDict::digest() const {
  const std::vector<std::filesystem::path> files = source_->files();
  if (files.size() == 1) {
    return remembered_digest(files.front());
  }
  std::string all;
  for (const std::filesystem::path& file : files) {
    all += remembered_digest(file);
  }
  return all.empty() ? all : sha256(all);
}

}  // namespace patchioner
