// Parts of an entry as its files list them, and whether a file is still what was written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace patchioner {

struct PartRecord {
  std::string name;
  uint64_t bytes = 0;
  std::string sha256;  ///< lower-case hexadecimal
};

nlohmann::ordered_json to_json(const PartRecord& part);
/// nullopt when the object is not of a part.
std::optional<PartRecord> part_from(const nlohmann::ordered_json& object);

/// Whether a part may have this name: one that stays in the entry's folder and is none of the cache's own.
bool is_part_name(const std::string& name);

/// What is wrong with the file of a part, a sentence; empty when it is what was written. The size is looked
/// at each time; the content only the first time that this process meets the file as it is (inode, size, time
/// of change). [any-thread]
std::string part_problem(const std::filesystem::path& file, const PartRecord& part);

/// The same, with the content read in any case.
std::string part_problem_in_full(const std::filesystem::path& file, const PartRecord& part);

/// Reads what was just written and flushed: its size and digest, which this process need not look at again.
PartRecord record_part(const std::filesystem::path& file, const std::string& name);

}  // namespace patchioner
