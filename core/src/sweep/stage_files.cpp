#include "sweep/stage_files.hpp"

#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "data/json_text.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kExtension = ".safetensors";

/// Reads a part; whatever is wrong with it, its entry is damaged.
template <class Read>
auto reading(const StageEntry& entry, const std::string& part, const Read& read) {
  try {
    return read(StateDict::open(entry.part(part), ""));
  } catch (const Error& error) {
    throw DamagedEntry(entry.key(), error.what());
  } catch (const nlohmann::json::exception& error) {
    throw DamagedEntry(entry.key(), fmt::format("{}: {}", entry.part(part).string(), error.what()));
  }
}

}  // namespace

std::string part_name(size_t part, const std::string& extension) {
  return fmt::format("part_{:05}{}", part, extension);
}

void write_features(const std::filesystem::path& file, const std::vector<std::string>& digests,
                    const std::vector<EncodedImage>& images, bool half) {
  Json errors = Json::object();
  std::vector<std::string> names;
  std::vector<int64_t> sizes;
  std::vector<at::Tensor> patches;
  std::vector<at::Tensor> globals;
  std::vector<at::Tensor> attentions;
  for (size_t i = 0; i < images.size(); ++i) {
    const EncodedImage& image = images[i];
    if (!image.error.empty()) {
      errors[digests[i]] = image.error;
      continue;
    }
    names.push_back(digests[i]);
    sizes.insert(sizes.end(), {image.width, image.height});
    for (const auto& [tensor, list] :
         {std::pair{&image.features.patches, &patches}, std::pair{&image.features.global, &globals},
          std::pair{&image.features.attention, &attentions}}) {
      if (tensor->defined()) {
        list->push_back(*tensor);
      }
    }
  }
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  const auto count = static_cast<int64_t>(names.size());
  tensors.emplace_back("sizes", at::tensor(sizes, at::kLong).reshape({count, 2}));
  const auto add = [&](const char* name, const std::vector<at::Tensor>& list, bool as_half) {
    if (!list.empty()) {
      tensors.emplace_back(name, at::stack(list).to(at::kCPU, as_half ? at::kHalf : at::kFloat).contiguous());
    }
  };
  add("patches", patches, half);
  add("global", globals, half);
  add("attention", attentions, false);
  write_safetensors(file, tensors, {{"images", json_text(Json(names))}, {"errors", json_text(errors)}});
}

FeatureReader::FeatureReader(std::shared_ptr<const StageEntry> entry) : entry_(std::move(entry)) {
  for (const std::string& name : entry_->parts()) {
    reading(*entry_, name, [&](const StateDict& part) {
      const Json images = Json::parse(part.metadata().at("images"));
      for (size_t row = 0; row < images.size(); ++row) {
        places_[images[row].get<std::string>()] = {parts_.size(), static_cast<int64_t>(row)};
      }
      const Json errors = Json::parse(part.metadata().at("errors"));
      for (const auto& [digest, error] : errors.items()) {
        errors_[digest] = error.get<std::string>();
      }
      parts_.push_back(part);
      return 0;
    });
  }
}

EncodedImage FeatureReader::image(const std::string& digest) const {
  EncodedImage image;
  if (const auto error = errors_.find(digest); error != errors_.end()) {
    image.error = error->second;
    return image;
  }
  const auto found = places_.find(digest);
  if (found == places_.end()) {
    throw Error(ErrorKind::internal, "{} has no features of the image {}", to_string(entry_->key()), digest);
  }
  const StateDict& part = parts_[found->second.part];
  const int64_t row = found->second.row;
  const auto slice = [&](const char* name) {
    return part.contains(name) ? part.tensor(name)[row].to(at::kFloat) : at::Tensor();
  };
  const at::Tensor size = part.tensor("sizes")[row];
  image.width = size[0].item<int64_t>();
  image.height = size[1].item<int64_t>();
  image.features = {slice("patches"), slice("global"), slice("attention")};
  return image;
}

std::vector<int64_t> RegionVectors::sound() const {
  std::vector<int64_t> rows;
  for (size_t i = 0; i < errors.size(); ++i) {
    if (errors[i].empty()) {
      rows.push_back(static_cast<int64_t>(i));
    }
  }
  return rows;
}

void write_vectors(const std::filesystem::path& file, const RegionVectors& vectors) {
  Json errors = Json::object();
  for (size_t i = 0; i < vectors.errors.size(); ++i) {
    if (!vectors.errors[i].empty()) {
      errors[std::to_string(i)] = vectors.errors[i];
    }
  }
  write_safetensors(file,
                    {{"vectors", vectors.vectors.to(at::kCPU, at::kFloat).contiguous()},
                     {"warnings", at::tensor(vectors.warnings, at::kLong)}},
                    {{"errors", json_text(errors)}});
}

RegionVectors read_vectors(const StageEntry& entry, size_t part) {
  return reading(entry, part_name(part, kExtension), [](const StateDict& file) {
    RegionVectors read;
    read.vectors = file.tensor("vectors");
    const at::Tensor warnings = file.tensor("warnings");
    read.warnings.assign(warnings.const_data_ptr<int64_t>(),
                         warnings.const_data_ptr<int64_t>() + warnings.numel());
    read.errors.resize(read.warnings.size());
    const Json errors = Json::parse(file.metadata().at("errors"));
    for (const auto& [row, error] : errors.items()) {
      read.errors.at(std::stoul(row)) = error.get<std::string>();
    }
    return read;
  });
}

}  // namespace patchioner
