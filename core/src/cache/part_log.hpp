// parts.jsonl: what has been put into an entry that is not finished, a line a part, and how long it took.
#pragma once

#include <filesystem>
#include <string>

#include "cache/part_list.hpp"

namespace patchioner {

/// What the lines say together.
struct PartHistory {
  PartList parts;  ///< as put last
  /// Of all holders: what they noted, and for work after that the time until their last part.
  double seconds = 0;
};

/// Reads the file; one that is not there is empty, and a line that makes no sense, such as a torn last one,
/// is left out.
PartHistory read_part_log(const std::filesystem::path& file);

/// Appends a line for a part; `seconds` have passed since the holder's last line or since it began. Throws an
/// Error of kind io, with the file as it was.
void log_part(const std::filesystem::path& file, const PartRecord& part, double seconds,
              const std::string& holder);

/// Appends what a holder says of its time since it last did so, in place of what its parts say.
void log_seconds(const std::filesystem::path& file, double seconds, const std::string& holder);

}  // namespace patchioner
