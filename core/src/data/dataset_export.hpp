// Data sets written in other forms.
#pragma once

#include <filesystem>

#include "data/dataset.hpp"

namespace patchioner {

/// JSON lines of one's own with references (docs/datasets.md): one image a line. Paths of images that were
/// found are relative to the file's folder. Both functions replace the file only when it is whole, and throw
/// an Error of kind io when it cannot be written.
void write_records(const Dataset& dataset, const std::filesystem::path& file);

/// The file that the paper's public code reads for the data set's task: COCO captions, dense annotations,
/// region sets or traces (spec/01 sections 7 to 10). Throws an Error of kind data for tasks that it has none
/// of (patches, mixed regions), and for two region sets of one image with equal references, which the file
/// cannot hold.
void write_task_file(const Dataset& dataset, const std::filesystem::path& file);

}  // namespace patchioner
