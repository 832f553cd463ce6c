#include "support/files.hpp"
#include "verify/verify.hpp"

namespace patchioner {

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
  // Every file the case names must be there before anything is compared, so that a case without its data is
  // skipped as a whole.
  for (const char* section : {"files", "weights"}) {
    if (json_.contains(section) && json_[section].is_object()) {
      for (const auto& [name, meaning] : json_[section].items()) {
        this->file(name);
      }
    }
  }
  for (const char* key : {"vocabulary", "weights", "config"}) {
    if (json_.contains(key) && json_[key].is_string()) {
      this->file(json_[key].get<std::string>());
    }
  }
  if (std::filesystem::exists(folder_ / "expected.safetensors")) {
    expected_ = StateDict::open(folder_ / "expected.safetensors");
  }
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
