#include "config/merge.hpp"

#include <patchioner/error.hpp>

namespace patchioner {
namespace {

bool is_list_of_plugins(const Value& value) {
  return value.is_list() && !value.as_list().empty() &&
         std::all_of(value.as_list().begin(), value.as_list().end(),
                     [](const Value& entry) { return entry.find("plugin") != nullptr; });
}

}  // namespace

bool changes_plugin(const Value& base, const Value& over) {
  const Value* before = base.find("plugin");
  const Value* after = over.find("plugin");
  return before != nullptr && after != nullptr && !(*before == *after);
}

void merge(Value& base, const Value& over, const std::string& path) {
  if (is_list_of_plugins(base) && over.is_map() && over.find("plugin") == nullptr) {
    throw Error(ErrorKind::config,
                "{}: '{}' is a list of {} plugins here, and a map cannot say which of them it means; write "
                "the whole list, or "
                "{}.0.KEY=VALUE on the command line",
                over.origin().to_string(), path, base.as_list().size(), path);
  }
  if (!base.is_map() || !over.is_map() || changes_plugin(base, over)) {
    base = over;
    return;
  }
  base.set_origin(over.origin());
  for (const auto& [key, value] : over.as_map()) {
    if (Value* present = base.find(key)) {
      merge(*present, value, path.empty() ? key : path + "." + key);
    } else {
      base.set(key, value);
    }
  }
}

}  // namespace patchioner
