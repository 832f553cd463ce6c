// Annotation files of a test, and what comes of them.
#pragma once

#include "data/dataset.hpp"
#include "test_folder.hpp"

namespace patchioner {

/// Small files in a folder of their own.
class DatasetFolder {
 public:
  DatasetFolder() = default;
  explicit DatasetFolder(const std::string& annotations) { add("annotations.json", annotations); }

  /// A file of annotations; those added by this are read together.
  void add(const std::string& name, const std::string& content) {
    options.files.push_back(folder.write(name, content));
  }

  Dataset open() const { return Dataset::open(options); }

  std::vector<DatasetImage> images() const {
    const Dataset dataset = open();
    std::vector<DatasetImage> all;
    for (size_t i = 0; i < dataset.size(); ++i) {
      all.push_back(dataset.image(i));
    }
    return all;
  }

  TestFolder folder;
  DatasetOptions options;
};

}  // namespace patchioner
