// The folder that a training writes into.
#pragma once

#include <filesystem>
#include <patchioner/error.hpp>
#include <system_error>

namespace patchioner {

/// Makes the folder and those above it. Throws an Error of kind io that names it.
inline void make_output_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw Error(ErrorKind::io, "{}: the folder cannot be made ({})", folder.string(), error.message());
  }
}

}  // namespace patchioner
