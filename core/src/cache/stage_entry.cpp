#include "cache/stage_entry.hpp"

#include <patchioner/error.hpp>

namespace patchioner {

StageEntry::StageEntry(std::unique_ptr<State> state) : state_(std::move(state)) {}
StageEntry::~StageEntry() = default;

const StageKey& StageEntry::key() const {
  return state_->key;
}

const nlohmann::ordered_json& StageEntry::facts() const {
  return state_->record.facts;
}

double StageEntry::seconds() const {
  return state_->record.seconds;
}

std::vector<std::string> StageEntry::parts() const {
  std::vector<std::string> names;
  for (const PartRecord& part : state_->record.parts.all()) {
    names.push_back(part.name);
  }
  return names;
}

bool StageEntry::has(const std::string& part) const {
  return state_->record.parts.find(part) != nullptr;
}

std::filesystem::path StageEntry::part(const std::string& name) const {
  const PartRecord* part = state_->record.parts.find(name);
  if (part == nullptr) {
    throw Error(ErrorKind::internal, "{}: there is no part '{}'", to_string(state_->key), name);
  }
  std::filesystem::path file = state_->folder / name;
  if (const std::string problem = part_problem(file, *part); !problem.empty()) {
    throw DamagedEntry(state_->key, problem);
  }
  return file;
}

}  // namespace patchioner
