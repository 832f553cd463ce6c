// Small banks and files for the tests of this folder.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>
#include <string>

#include "checkpoint/state_dict.hpp"
#include "memory/memory_bank.hpp"
#include "support/files.hpp"

namespace patchioner::test {

/// An empty folder that goes away with the object.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "patchioner_memory_XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  std::filesystem::path write(const std::string& name, std::string_view content) const {
    write_file(path_ / name, content);
    return path_ / name;
  }
  /// A native bank `name`.safetensors.
  std::filesystem::path write_bank(const std::string& name, const at::Tensor& embeddings,
                                   const std::vector<std::string>& texts) const {
    write_safetensors(path_ / (name + ".safetensors"), {{"embeddings", embeddings}});
    write(name + ".texts.json", nlohmann::json(texts).dump());
    return path_ / (name + ".safetensors");
  }

 private:
  std::filesystem::path path_;
};

/// The golden case that is kept in the tree: one bank as HDF5, as the reference writes it, and as ours.
inline std::filesystem::path golden_banks() {
  return std::filesystem::path(PATCHIONER_SOURCE_DIR) / "tests/parity/pipeline/memory_projection";
}

/// The message of the Error of that kind which `call` throws.
inline std::string refusal(ErrorKind kind, const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(to_string(error.kind()) == to_string(kind));
    return error.what();
  }
  FAIL("nothing was thrown");
  return {};
}

inline bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// "text 0", "text 1" ...
inline std::vector<std::string> numbered(size_t count) {
  std::vector<std::string> texts;
  for (size_t index = 0; index < count; ++index) {
    texts.push_back("text " + std::to_string(index));
  }
  return texts;
}

}  // namespace patchioner::test
