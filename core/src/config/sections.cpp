#include "config/sections.hpp"

#include <patchioner/error.hpp>

#include "config/reference_keys.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {

const std::vector<Section>& sections() {
  static const std::vector<Section> kSections = {
      {"backbone", true, "images and texts to features"},
      {"aggregator", true, "regions to weights over the patch grid"},
      {"gap", true,
       "image-side features to what a text-trained decoder reads; one map or a list of maps, applied in "
       "order"},
      {"decoder", true, "features to captions"},
      {"runtime", false, "device, precision, threads, batch"},
      {"plugins", false, "where plugins are found"},
      {"train", false, "settings of `patchioner train`"},
      {"dataset", false, "what `patchioner eval` captions"},
      {"score", false, "metrics and what decides them"},
      {"evaluate", false, "settings of `patchioner eval`"},
      {"variables", false, "values for ${variables.NAME}; no command reads them"},
  };
  return kSections;
}

const Section* find_section(std::string_view name) {
  for (const Section& section : sections()) {
    if (section.name == name) {
      return &section;
    }
  }
  return nullptr;
}

void check_sections(const Value& document) {
  for (const auto& [key, value] : document.as_map()) {
    if (find_section(key) == nullptr) {
      const auto& reference = known_reference_keys();
      if (std::find(reference.begin(), reference.end(), key) != reference.end()) {
        throw Error(ErrorKind::config,
                    "{}: '{}' is a key of the reference implementation's model files; `patchioner config "
                    "import {}` turns such a file "
                    "into a config",
                    value.origin().to_string(), key, value.origin().file);
      }
      std::vector<std::string> names;
      for (const Section& section : sections()) {
        names.push_back(section.name);
      }
      throw Error(ErrorKind::config, "{}: unknown section '{}'{}", value.origin().to_string(), key,
                  suggestion(key, names));
    }
  }
}

Value in_section_order(const Value& document) {
  Value ordered = Value(Value::Map()).set_origin(document.origin());
  for (const Section& section : sections()) {
    if (const Value* value = document.find(section.name)) {
      ordered.set(section.name, *value);
    }
  }
  return ordered;
}

}  // namespace patchioner
