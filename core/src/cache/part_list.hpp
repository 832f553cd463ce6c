// The parts of an entry in the order in which they were put, found by name.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "cache/part_record.hpp"

namespace patchioner {

class PartList {
 public:
  const std::vector<PartRecord>& all() const { return parts_; }

  const PartRecord* find(const std::string& name) const {
    const auto found = places_.find(name);
    return found == places_.end() ? nullptr : &parts_[found->second];
  }

  /// A part that was put again keeps its place.
  void put(PartRecord part) {
    const auto [place, is_new] = places_.emplace(part.name, parts_.size());
    if (is_new) {
      parts_.push_back(std::move(part));
    } else {
      parts_[place->second] = std::move(part);
    }
  }

  void drop(const std::string& name) {
    std::vector<PartRecord> rest;
    std::swap(rest, parts_);
    places_.clear();
    for (PartRecord& part : rest) {
      if (part.name != name) {
        put(std::move(part));
      }
    }
  }

 private:
  std::vector<PartRecord> parts_;
  std::unordered_map<std::string, size_t> places_;
};

}  // namespace patchioner
