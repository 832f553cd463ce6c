// The one visible list of what may stand at the top of a config.
#pragma once

#include <patchioner/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace patchioner {

struct Section {
  std::string name;
  bool plugin = false;  ///< holds `plugin:` and its options; also the name of a group of choices
  std::string summary;
};

const std::vector<Section>& sections();

/// The section of that name, or nullptr.
const Section* find_section(std::string_view name);

/// Throws an Error of kind config for a key of the document that is no section, with the nearest name.
void check_sections(const Value& document);

/// The document with its sections in the order of the list, whatever the order in which they came.
Value in_section_order(const Value& document);

}  // namespace patchioner
