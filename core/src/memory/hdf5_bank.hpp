// Reads the memory banks of the reference implementation (spec/01 section 5.2): HDF5 files with two datasets,
// `<name>-embeddings` (rows x D) and `<name>-text` (variable-length UTF-8).
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace patchioner {

struct Hdf5Bank {
  at::Tensor embeddings;           ///< [M,D] float32, without the zero rows
  std::vector<std::string> texts;  ///< of these rows
  std::map<std::string, std::string> metadata;
  int64_t dropped_rows = 0;
};

/// Whether the file begins as HDF5 does.
bool is_hdf5(const std::filesystem::path& path);

/// Throws Error: checkpoint when the file is damaged or holds no such datasets, data when there are fewer
/// texts than rows.
Hdf5Bank read_hdf5_bank(const std::filesystem::path& path);

}  // namespace patchioner
