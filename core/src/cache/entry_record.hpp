// entry.json: what a finished entry consists of.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "cache/part_list.hpp"
#include "cache/stage_cache.hpp"

namespace patchioner {

struct EntryRecord {
  double seconds = 0;
  nlohmann::ordered_json facts;
  PartList parts;
};

std::string entry_record_text(const StageKey& key, const EntryRecord& record);

/// Throws DamagedEntry when the file cannot be read, is of another version of the format or of another key.
EntryRecord read_entry_record(const StageKey& key, const std::filesystem::path& file);

}  // namespace patchioner
