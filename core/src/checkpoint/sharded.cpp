#include "checkpoint/sharded.hpp"

#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>
#include <unordered_map>

#include "checkpoint/open_source.hpp"

namespace patchioner {
namespace {

/// Where "weight_map" must have turned up for a file to be taken for an index; headers of real ones are
/// short.
constexpr size_t kLookAt = size_t{1} << 20;

class ShardedSource : public TensorSource {
 public:
  ShardedSource(std::filesystem::path index, std::map<std::string, std::string> metadata)
      : files_{std::move(index)}, metadata_(std::move(metadata)) {}

  size_t add_shard(const std::filesystem::path& path) {
    files_.push_back(path);
    shards_.push_back(open_single_file(MappedFile::open(path), ""));
    auto& infos = shard_infos_.emplace_back();
    for (const TensorInfo& info : shards_.back()->infos()) {
      infos.emplace(info.name, &info);
    }
    return shards_.size() - 1;
  }

  void add_tensor(const std::string& name, size_t shard) {
    const auto found = shard_infos_[shard].find(name);
    if (found == shard_infos_[shard].end()) {
      throw Error(ErrorKind::checkpoint,
                  "{}: the index says that '{}' holds the tensor '{}', but it does not; fetch all files of "
                  "one version again",
                  files_.front().string(), files_[shard + 1].filename().string(), name);
    }
    infos_.push_back(*found->second);
    place_.emplace(name, shard);
  }

  const std::vector<TensorInfo>& infos() const override { return infos_; }
  at::Tensor read(const std::string& name) const override { return shards_[place_.at(name)]->read(name); }
  CheckpointFormat format() const override {
    return shards_.empty() ? CheckpointFormat::safetensors : shards_.front()->format();
  }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }
  std::vector<std::filesystem::path> files() const override { return files_; }
  void release_pages() const override {
    for (const auto& shard : shards_) {
      shard->release_pages();
    }
  }

 private:
  std::vector<std::filesystem::path> files_;
  std::map<std::string, std::string> metadata_;
  std::vector<std::shared_ptr<const TensorSource>> shards_;
  std::vector<std::unordered_map<std::string, const TensorInfo*>> shard_infos_;
  std::vector<TensorInfo> infos_;
  std::unordered_map<std::string, size_t> place_;
};

}  // namespace

bool looks_like_shard_index(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t\r\n");
  return start != std::string_view::npos && text[start] == '{' &&
         text.substr(0, kLookAt).find("\"weight_map\"") != std::string_view::npos;
}

std::shared_ptr<const TensorSource> open_sharded(std::shared_ptr<const MappedFile> index) {
  const std::filesystem::path path = index->path();
  // The callback cuts off what no index has, so that hostile nesting is never built.
  const auto shallow = [](int depth, nlohmann::ordered_json::parse_event_t, nlohmann::ordered_json&) {
    return depth <= 8;
  };
  const auto json = nlohmann::ordered_json::parse(index->text(), shallow, false);
  const auto map = json.is_object() ? json.find("weight_map") : json.end();
  if (!json.is_object() || map == json.end() || !map->is_object() || map->empty()) {
    throw Error(ErrorKind::checkpoint,
                "{}: not a valid index of a sharded checkpoint: it needs a \"weight_map\" from tensor names "
                "to file names",
                path.string());
  }
  std::map<std::string, std::string> metadata;
  if (const auto found = json.find("metadata"); found != json.end() && found->is_object()) {
    for (const auto& [key, value] : found->items()) {
      metadata[key] = value.is_string() ? value.get<std::string>() : value.dump();
    }
  }
  auto source = std::make_shared<ShardedSource>(path, std::move(metadata));
  std::map<std::string, size_t> shards;
  for (const auto& [name, file] : map->items()) {
    const std::string file_name = file.is_string() ? file.get<std::string>() : std::string();
    if (file_name.empty() || file_name.find('/') != std::string::npos || file_name == "..") {
      throw Error(ErrorKind::checkpoint,
                  "{}: the index sends the tensor '{}' to '{}'; only files beside the index are read",
                  path.string(), name, file_name);
    }
    auto shard = shards.find(file_name);
    if (shard == shards.end()) {
      const std::filesystem::path shard_path = path.parent_path() / file_name;
      if (!std::filesystem::exists(shard_path)) {
        throw Error(
            ErrorKind::checkpoint,
            "{}: the file '{}' that the index names is not beside it; fetch all files of the checkpoint",
            path.string(), file_name);
      }
      shard = shards.emplace(file_name, source->add_shard(shard_path)).first;
    }
    source->add_tensor(name, shard->second);
  }
  return source;
}

}  // namespace patchioner
