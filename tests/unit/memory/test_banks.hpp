// Small banks and files for the tests of this folder.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>
#include <string>

#include "checkpoint/state_dict.hpp"
#include "memory/memory_bank.hpp"
#include "refusals.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

namespace patchioner::test {

class BankFolder : public TestFolder {
 public:
  /// A native bank `name`.safetensors.
  std::filesystem::path write_bank(const std::string& name, const at::Tensor& embeddings,
                                   const std::vector<std::string>& texts) const {
    write_safetensors(*this / (name + ".safetensors"), {{"embeddings", embeddings}});
    write(name + ".texts.json", nlohmann::json(texts).dump());
    return *this / (name + ".safetensors");
  }
};

/// The golden case that is kept in the tree: one bank as HDF5, as the reference writes it, and as ours.
inline std::filesystem::path golden_banks() {
  return std::filesystem::path(PATCHIONER_SOURCE_DIR) / "tests/parity/pipeline/memory_projection";
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
