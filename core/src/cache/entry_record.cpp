#include "cache/entry_record.hpp"

#include <patchioner/error.hpp>

#include "support/files.hpp"

namespace patchioner {
namespace {

constexpr int kVersion = 1;
constexpr const char* kDigestKey = "sha256";  // of all the rest

std::string digest_of(const nlohmann::ordered_json& document) {
  return sha256(document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

std::string entry_record_text(const StageKey& key, const EntryRecord& record) {
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  for (const PartRecord& part : record.parts.all()) {
    parts.push_back(to_json(part));
  }
  nlohmann::ordered_json document = {{"version", kVersion},   {"stage", to_string(key.stage)},
                                     {"digest", key.digest},  {"seconds", record.seconds},
                                     {"facts", record.facts}, {"parts", std::move(parts)}};
  document[kDigestKey] = digest_of(document);
  return document.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

EntryRecord read_entry_record(const StageKey& key, const std::filesystem::path& file) {
  const auto damaged = [&](std::string_view why) {
    return DamagedEntry(key, fmt::format("{}: {}", file.string(), why));
  };
  try {
    auto document = nlohmann::ordered_json::parse(read_file(file));
    if (document.at("version") != kVersion) {
      throw damaged("is of another version of the cache's format");
    }
    if (document.at("stage") != to_string(key.stage) || document.at("digest") != key.digest) {
      throw damaged("belongs to another entry");
    }
    if (const auto written = document.find(kDigestKey);
        written != document.end()) {  // earlier versions had none
      const nlohmann::ordered_json digest = *written;
      document.erase(kDigestKey);
      if (digest != digest_of(document)) {
        throw damaged("its content is not what was written (SHA-256)");
      }
    }
    EntryRecord record;
    record.seconds = document.at("seconds").get<double>();
    record.facts = std::move(document.at("facts"));
    for (const auto& object : document.at("parts")) {
      std::optional<PartRecord> part = part_from(object);
      if (!part) {
        throw damaged("its list of parts cannot be understood");
      }
      record.parts.put(*std::move(part));
    }
    return record;
  } catch (const nlohmann::json::exception&) {
    throw damaged("is not what was written");
  } catch (const Error& error) {
    throw DamagedEntry(key, error.what());
  }
}

}  // namespace patchioner
