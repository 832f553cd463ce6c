// ZIP archives as PyTorch writes them: stored entries whose data begins at multiples of 64 bytes, so that
// readers can map them; or deflated ones, which are smaller and have to be read through.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace patchioner {

/// Writes one archive, atomically: without finish() nothing is left behind. Errors are those of AtomicFile.
/// [one-thread]
class ZipWriter {
 public:
  explicit ZipWriter(const std::filesystem::path& path) : file_(path) {}

  void add(const std::string& name, const void* data, uint64_t size);
  /// The same deflated, unless that is no smaller. Throws an Error of kind internal for more than 4 GB.
  void add_deflated(const std::string& name, const void* data, uint64_t size);
  void add(const std::string& name, std::string_view text) { add(name, text.data(), text.size()); }

  /// Writes the directory and puts the file in its place.
  void finish();

 private:
  struct Written {
    std::string name;
    uint32_t crc = 0;
    uint64_t size = 0;
    uint64_t stored_size = 0;  ///< in the archive
    uint64_t header_offset = 0;
  };
  void write(std::string_view bytes);
  void add_entry(Written entry, const void* stored);
  AtomicFile file_;
  uint64_t position_ = 0;
  std::vector<Written> entries_;
};

}  // namespace patchioner
