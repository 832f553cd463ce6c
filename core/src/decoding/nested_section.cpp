#include "decoding/nested_section.hpp"

#include "checkpoint/state_dict.hpp"
#include "config/paths.hpp"

namespace patchioner {

Value with_resolved_paths(const ParameterSchema& schema, Value section) {
  for (const Parameter& parameter : schema) {
    Value* value = section.find(parameter.name);
    if (parameter.type != ParameterType::path || value == nullptr || !value->is_text() ||
        value->as_text().empty()) {
      continue;
    }
    const Origin origin = value->origin();
    *value = Value(resolve_weights(resolve_path(*value)).string()).set_origin(origin);
  }
  return section;
}

}  // namespace patchioner
