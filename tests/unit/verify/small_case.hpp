// A golden case of a few numbers, in a folder of its own.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "test_folder.hpp"
#include "verify/verify.hpp"

namespace patchioner {

class SmallCase {
 public:
  /// Writes the case; without tensors there is no expected.safetensors.
  SmallCase(const nlohmann::json& json, const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
    folder_.write("case.json", json.dump());
    if (!tensors.empty()) {
      write_safetensors(folder_ / "expected.safetensors", tensors);
    }
  }

  const TestFolder& folder() const { return folder_; }

  /// The case, opened.
  GoldenCase golden() const {
    GoldenCase golden(folder_.path());
    golden.load();
    return golden;
  }

 private:
  TestFolder folder_;
};

}  // namespace patchioner
