#include "support/files.hpp"
#include "verify/verify.hpp"

namespace patchioner {
namespace {

constexpr const char* kExpectedFile = "expected.safetensors";

// Where a case names files: as the text of such a key, as the keys of such a section, and in such a list,
// whose entries are names or say them again under a key.
constexpr std::array<const char*, 6> kFileKeys = {"vocabulary", "weights", "config",
                                                  "strings",    "decode",  "image"};
constexpr std::array<const char*, 2> kFileSections = {"files", "weights"};
constexpr std::array<const char*, 5> kFileLists = {"images", "runs", "variants", "good", "bad"};
constexpr std::array<const char*, 4> kFileKeysOfEntries = {"file", "image", "weights", "config"};

template <size_t Count>
void add_texts(const nlohmann::json& object, const std::array<const char*, Count>& keys,
               std::vector<std::string>& texts) {
  for (const char* key : keys) {
    if (object.contains(key) && object[key].is_string()) {
      texts.push_back(object[key].get<std::string>());
    }
  }
}

std::vector<std::string> named_files(const nlohmann::json& json) {
  std::vector<std::string> names;
  add_texts(json, kFileKeys, names);
  for (const char* section : kFileSections) {
    if (json.contains(section) && json[section].is_object()) {
      for (const auto& [name, meaning] : json[section].items()) {
        names.push_back(name);
      }
    }
  }
  for (const char* list : kFileLists) {
    if (!json.contains(list) || !json[list].is_array()) {
      continue;
    }
    for (const auto& entry : json[list]) {
      if (entry.is_string()) {
        names.push_back(entry.get<std::string>());
      } else if (entry.is_object()) {
        add_texts(entry, kFileKeysOfEntries, names);
      }
    }
  }
  return names;
}

}  // namespace

GoldenCase::GoldenCase(std::filesystem::path folder) : folder_(std::move(folder)) {
  const std::filesystem::path file = folder_ / "case.json";
  try {
    json_ = nlohmann::json::parse(read_file(file));
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::data, "{}: not a case description: {}", file.string(), error.what());
  }
  if (!json_.is_object() || !json_.contains("kind") || !json_["kind"].is_string()) {
    throw Error(ErrorKind::data, "{}: not a case description: the key 'kind' is missing", file.string());
  }
}

void GoldenCase::load() {
  const auto named = json_.find("expected");
  const bool is_named = named != json_.end() && named->is_string();
  const std::string name = is_named ? named->get<std::string>() : kExpectedFile;
  const bool is_promised = is_named || !promised_names().empty() || std::filesystem::exists(folder_ / name);
  // Inputs may be somebody else's data and left out of a copy; what is expected is the case itself.
  if (is_promised && !std::filesystem::exists(folder_ / name)) {
    throw Error(ErrorKind::data, "{}: the expected values are not there; the case was copied in part",
                (folder_ / name).string());
  }
  for (const std::string& needed : named_files(json_)) {
    file(needed);
  }
  if (is_promised) {
    expected_ = StateDict::open(file(name), /*root=*/"");  // names as they are
  }
}

std::vector<std::string> GoldenCase::promised_names() const {
  std::vector<std::string> names;
  for (const char* section : {"expected", "tensors"}) {
    if (!json_.contains(section)) {
      continue;
    }
    if (json_[section].is_array()) {
      for (const auto& entry : json_[section]) {
        if (entry.is_object() && entry.contains("name")) {
          names.push_back(entry["name"].get<std::string>());
        }
      }
    } else if (json_[section].is_object()) {
      for (const auto& [name, entry] : json_[section].items()) {
        if (entry.is_object() && entry.contains("shape")) {
          names.push_back(name);
        }
      }
    }
  }
  return names;
}

std::string GoldenCase::kind() const {
  return json_["kind"].get<std::string>();
}

std::filesystem::path GoldenCase::file(const std::string& name) const {
  const std::filesystem::path path = (folder_ / name).lexically_normal();
  if (!std::filesystem::exists(path)) {
    throw SkipCase{fmt::format("{} is not there", path.string())};
  }
  return path;
}

at::Tensor GoldenCase::tensor(const std::string& name) const {
  return expected_.tensor(name);
}

bool GoldenCase::has(const std::string& name) const {
  return expected_.contains(name);
}

}  // namespace patchioner
