#include "runtime/plugin_sections.hpp"

namespace patchioner {

std::vector<PluginSection> plugin_sections(const Value& config) {
  std::vector<PluginSection> sections;
  for (const PluginKind kind :
       {PluginKind::backbone, PluginKind::aggregator, PluginKind::gap, PluginKind::decoder}) {
    const std::string name(to_string(kind));
    const Value* section = config.find(name);
    if (section == nullptr || section->is_null()) {
      continue;
    }
    if (kind == PluginKind::gap && section->is_list()) {
      for (size_t i = 0; i < section->as_list().size(); ++i) {
        sections.push_back({kind, fmt::format("{}.{}", name, i), section->as_list()[i]});
      }
    } else {
      sections.push_back({kind, name, *section});
    }
  }
  return sections;
}

std::vector<std::string> plugin_chain(const Value& config) {
  std::vector<std::string> names;
  for (const PluginSection& section : plugin_sections(config)) {
    names.push_back(section.options.at("plugin").as_text());
  }
  return names;
}

}  // namespace patchioner
