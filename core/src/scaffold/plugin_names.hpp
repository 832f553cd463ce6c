// What a new plugin is called, in the three ways that its files need.
#pragma once

#include <string>
#include <string_view>

namespace patchioner {

/// Throws an Error of kind usage for a name that is not of lower-case letters, digits and single '_' between
/// them, beginning with a letter ("my_vit"), or that a project with LibTorch cannot give to a target.
void check_plugin_name(const std::string& name);

/// What the text of a template has in place of {{name}}, {{Name}} and {{kind}}.
struct PluginNames {
  std::string kind;  ///< "backbone"
  std::string name;  ///< "my_vit"
  std::string
      class_name;  ///< "MyVit"; templates put the kind behind it, which keeps it apart from the SDK's names
};

/// The names of a plugin whose name has been checked.
PluginNames names_of(const std::string& kind, const std::string& name);

/// A template's text with the names filled in. Throws an Error of kind internal for any other word between
/// double braces, where `place` says whose text it is.
std::string filled_in(std::string_view text, const PluginNames& names, const std::string& place);

}  // namespace patchioner
