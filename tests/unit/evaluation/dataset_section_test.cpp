#include "evaluation/dataset_section.hpp"

#include <doctest/doctest.h>

#include "config/config.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

using namespace patchioner;

TEST_CASE("the section dataset: paths are relative to the file that says them, the name is the file's") {
  const TestFolder folder;
  const Value config =
      read_yaml(folder.write("configs/c.yaml",
                             "dataset:\n  files: ../data/boxes.json\n  images: [a, /b]\n  format: dense\n"
                             "  split: val\n  vg_coco: true\n  references: r.json\n"));
  const NamedDataset dataset = read_dataset_section(config);
  CHECK(dataset.name == "boxes");
  CHECK(dataset.options.files == std::vector<std::filesystem::path>{folder / "data/boxes.json"});
  CHECK(dataset.options.image_folders == std::vector<std::filesystem::path>{folder / "configs/a", "/b"});
  CHECK(dataset.options.references == folder / "configs/r.json");
  CHECK(dataset.options.format == DatasetFormat::dense);
  CHECK(dataset.options.split == "val");
  CHECK(dataset.options.vg_coco);
}

TEST_CASE("the section dataset: what is wrong with it is said with its place") {
  const auto refused = [](const std::string& yaml) {
    return refusal_of(ErrorKind::config, [&] { read_dataset_section(parse_yaml(yaml, "c.yaml")); });
  };
  mentions(refused("runtime: {}"), "no section 'dataset'");
  mentions(refused("dataset: {split: test}"), "c.yaml:1:1: dataset.files is not set");
  mentions(refused("dataset: {files: 3}"), "c.yaml:1:11: dataset.files is a path or a list of paths");
  mentions(refused("dataset: {files: a.json, formt: coco}"), "did you mean 'format'");
  mentions(refused("dataset: {files: a.json, name: ../x}"), "must be the name of a folder");
}
