// The choices of configs/dataset: each is called what its file is called, and what ships can be read as they
// say.
#include <doctest/doctest.h>

#include <cstdlib>

#include "config/config.hpp"
#include "evaluation/dataset_section.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

const std::filesystem::path kConfigs = std::filesystem::path(PATCHIONER_SOURCE_DIR) / "configs";

NamedDataset choice(const std::string& name) {
  const TestFolder folder;
  set_config_directory(kConfigs);
  return read_dataset_section(compose(folder.write("config.yaml", "defaults: [dataset/" + name + "]\n")));
}

}  // namespace

TEST_CASE("every choice of a data set is called as its file, and published files lie in PATCHIONER_DATA") {
  const TestFolder data;
  ::setenv("PATCHIONER_DATA", data.path().c_str(), 1);
  size_t published = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kConfigs / "dataset")) {
    const std::string name = entry.path().stem();
    INFO(name);
    const NamedDataset dataset = choice(name);
    CHECK(dataset.name == name);
    CHECK(dataset.options.format != DatasetFormat::automatic);
    CHECK_FALSE(dataset.options.image_folders.empty());
    if (name.starts_with("emoji_")) {
      continue;
    }
    ++published;
    auto paths = dataset.options.files;
    paths.insert(paths.end(), dataset.options.image_folders.begin(), dataset.options.image_folders.end());
    for (const auto& path :
         {dataset.options.references, dataset.options.image_data, dataset.options.splits}) {
      if (!path.empty()) {
        paths.push_back(path);
      }
    }
    for (const auto& path : paths) {
      INFO(path.string());
      CHECK(path.string().starts_with(data.path().string()));
    }
  }
  ::unsetenv("PATCHIONER_DATA");
  CHECK(published == 9);
}

TEST_CASE("the emoji world has a data set of every task, all of whose images are there") {
  for (const auto& [name, task] :
       {std::pair("emoji_image", DatasetTask::image), std::pair("emoji_dense", DatasetTask::dense),
        std::pair("emoji_region_set", DatasetTask::region_set), std::pair("emoji_trace", DatasetTask::trace),
        std::pair("emoji_patch", DatasetTask::patch)}) {
    INFO(name);
    const Dataset dataset = Dataset::open(choice(name).options);
    CHECK(dataset.task() == task);
    CHECK(dataset.size() >= 120);
    CHECK(dataset.problems().total() == 0);
  }
}
