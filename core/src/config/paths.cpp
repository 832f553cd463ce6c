#include "config/paths.hpp"

#include <cstdlib>

namespace patchioner {

std::string resolve_path(const Value& text) {
  const std::string& path = text.as_text();
  if (path.empty() || path.starts_with("hf:")) {
    return path;
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && path.starts_with("~/")) {
    return (std::filesystem::path(home) / path.substr(2)).lexically_normal().string();
  }
  // "command line", "default", "environment variable X" and the names of texts in memory have no folder,
  // which leaves the current one.
  const std::filesystem::path folder = std::filesystem::path(text.origin().file).parent_path();
  return std::filesystem::absolute(folder / path).lexically_normal().string();
}

std::optional<std::string> existing_path(const Value& value) {
  if (!value.is_text() || value.as_text().find_first_of("./") == std::string::npos) {
    return std::nullopt;
  }
  const std::string path = resolve_path(value);
  std::error_code unreadable;
  const std::filesystem::file_status found = std::filesystem::status(path, unreadable);
  const bool may_be_folder = value.as_text().find('/') != std::string::npos;
  if (!std::filesystem::exists(found) || (std::filesystem::is_directory(found) && !may_be_folder)) {
    return std::nullopt;
  }
  return path;
}

Value complete_section(const Value& config, const ParameterSchema& schema, const std::string& name) {
  const Value* section = config.find(name);
  Value complete = validate(schema, section == nullptr ? Value() : *section, name);
  for (const Parameter& parameter : schema) {
    Value* value = complete.find(parameter.name);
    if (parameter.type == ParameterType::path && value != nullptr && value->is_text()) {
      const Origin origin = value->origin();
      *value = Value(resolve_path(*value)).set_origin(origin);
    }
  }
  return complete;
}

}  // namespace patchioner
