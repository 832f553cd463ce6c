#include "runtime/complete_config.hpp"

#include <patchioner/log.hpp>

#include "config/paths.hpp"
#include "config/sections.hpp"
#include "runtime/runtime_options.hpp"

namespace patchioner {
namespace {

constexpr PluginKind kKinds[] = {PluginKind::backbone, PluginKind::aggregator, PluginKind::gap,
                                 PluginKind::decoder};

/// Makes relative paths absolute in the sections inside a plugin's, whose options it declares to nobody.
void complete_nested(Value& section, bool own_options) {
  for (auto& [key, value] : section.as_map()) {
    if (value.is_map()) {
      complete_nested(value, /*own_options=*/false);
    } else if (own_options) {
      continue;  // declared: the host has done it
    } else if (const auto path = existing_path(value)) {
      const Origin origin = value.origin();
      value = Value(*path).set_origin(origin);
    }
  }
}

}  // namespace

Value complete_plugin_section(const Value& section, PluginKind kind, PluginHost& host,
                              MissingPlugin missing) {
  try {
    Value complete = host.resolve(kind, section);
    complete_nested(complete, /*own_options=*/true);
    return complete;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::plugin || missing == MissingPlugin::refuse) {
      throw;
    }
    log(LogLevel::warning, "{}; this section is left as it is written", error.what());
    return section;
  }
}

Value complete_runtime_section(const Value& config) {
  const Value* runtime = config.find("runtime");
  return validate(schema_of<RuntimeOptions>(), runtime == nullptr ? Value() : *runtime, "runtime");
}

Value complete_config(const Value& config, PluginHost& host, MissingPlugin missing) {
  Value complete = config;
  for (const PluginKind kind : kKinds) {
    Value* section = complete.find(to_string(kind));
    if (section == nullptr || section->is_null()) {
      continue;
    }
    if (kind == PluginKind::gap && section->is_list()) {
      for (Value& entry : section->as_list()) {
        entry = complete_plugin_section(entry, kind, host, missing);
      }
    } else {
      *section = complete_plugin_section(*section, kind, host, missing);
    }
  }
  complete.set("runtime", complete_runtime_section(config));
  return in_section_order(complete);
}

Value only_written(const Value& complete, const Value& written) {
  if (complete.is_list() && written.is_list() && complete.as_list().size() == written.as_list().size()) {
    Value::List list;
    for (size_t i = 0; i < complete.as_list().size(); ++i) {
      list.push_back(only_written(complete.as_list()[i], written.as_list()[i]));
    }
    return Value(std::move(list)).set_origin(complete.origin());
  }
  if (!complete.is_map() || !written.is_map()) {
    return complete;
  }
  Value::Map map;
  for (const auto& [key, value] : written.as_map()) {
    if (const Value* full = complete.find(key)) {
      map.emplace_back(key, only_written(*full, value));
    }
  }
  return Value(std::move(map)).set_origin(complete.origin());
}

}  // namespace patchioner
