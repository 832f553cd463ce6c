// A TensorBoard event file: scalars of a training as it goes on, or of a run that has ended. The format is
// TFRecord framing around protocol buffer messages `Event`; the few fields needed are encoded by hand.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchioner {

/// CRC-32C (Castagnoli), as RFC 3720 appendix B.4 gives its test values.
uint32_t crc32c(std::string_view bytes);

/// One record of the framing: length, masked checksum of the length, content, masked checksum of the content;
/// little-endian.
std::string tfrecord(std::string_view content);

/// The message `Event` with a summary of scalars, in the order given.
std::string scalar_event(double wall_time, int64_t step,
                         const std::vector<std::pair<std::string, double>>& scalars);

/// [one-thread]
class EventFile {
 public:
  /// Makes `events.out.tfevents.<seconds>.<host>.<process>` in `folder`. A reader that shows several files of
  /// a folder as one run drops what earlier files have from `first_step` on, so that a resumed training draws
  /// one curve. Throws an Error of kind io.
  EventFile(const std::filesystem::path& folder, int64_t first_step);

  void add(int64_t step, const std::vector<std::pair<std::string, double>>& scalars);
  /// Hands all records to the system. Throws an Error of kind io when that fails (disk full).
  void flush();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::ofstream stream_;
};

}  // namespace patchioner
