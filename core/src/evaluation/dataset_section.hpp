// The section `dataset` of a config: which images, regions and references (docs/datasets.md).
#pragma once

#include <patchioner/parameters.hpp>
#include <patchioner/value.hpp>
#include <string>
#include <vector>

#include "data/dataset.hpp"

namespace patchioner {

/// Options by the names of `patchioner dataset`.
struct DatasetSection {
  std::string name;  ///< what results are called; empty: the stem of the first file
  Value files;       ///< a path or a list of paths
  std::string format = "auto";
  Value images;  ///< a folder or a list of folders
  std::string names = "auto";
  std::string references;
  std::string split = "test";
  std::string splits;
  std::string image_data;
  bool vg_coco = false;
  bool strict = false;
};

void declare(ParameterList<DatasetSection>& list);

/// The section `dataset` of a resolved document with every option, defaults filled in, paths made absolute
/// and the name found. Throws an Error of kind config that says where.
Value complete_dataset_section(const Value& config);

/// A data set that a config names.
struct NamedDataset {
  std::string name;
  DatasetOptions options;
};

/// Errors as complete_dataset_section.
NamedDataset read_dataset_section(const Value& config);

}  // namespace patchioner
