#include "section_help.hpp"

#include "config/config.hpp"

namespace patchioner {

std::string section_help(std::string_view section, const ParameterSchema& schema) {
  std::string text = fmt::format("Options of the section {0} ({0}.NAME=VALUE):\n", section);
  for (const Parameter& parameter : schema) {
    const std::string value = parameter.required ? "required" : write_json(parameter.default_value, 0);
    text += fmt::format("  {:<20} {} [{}]\n", parameter.name, parameter.help, value);
  }
  return text;
}

}  // namespace patchioner
