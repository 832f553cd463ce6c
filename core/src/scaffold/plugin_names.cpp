#include "scaffold/plugin_names.hpp"

#include <algorithm>
#include <array>
#include <patchioner/error.hpp>
#include <regex>

namespace patchioner {
namespace {

constexpr size_t kLongest = 64;  // letters of a name; it becomes a file's, with .so and more behind

/// What CMake, CTest and LibTorch's package have targets of.
constexpr std::array kTaken = {"all",
                               "c10",
                               "clean",
                               "edit_cache",
                               "help",
                               "install",
                               "package",
                               "test",
                               "torch",
                               "torch_cpu",
                               "package_source",
                               "rebuild_cache",
                               "list_install_components",
                               "torch_library"};

bool is_plugin_name(const std::string& name) {
  static const std::regex kForm("[a-z][a-z0-9]*(_[a-z0-9]+)*");
  return name.size() <= kLongest && std::regex_match(name, kForm);
}

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

char lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

/// "MyVit-B16" -> "my_vit_b16"
std::string snake_case(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins_word = is_upper(text[i]) && i > 0 && is_lower_or_digit(text[i - 1]);
    const bool separates = !is_upper(text[i]) && !is_lower_or_digit(text[i]);
    if ((begins_word || separates) && !result.empty() && result.back() != '_') {
      result += '_';
    }
    if (!separates) {
      result += lower(text[i]);
    }
  }
  return result.substr(0, result.find_last_not_of('_') + 1);
}

}  // namespace

void check_plugin_name(const std::string& name) {
  if (!is_plugin_name(name)) {
    const std::string near = snake_case(name);
    throw Error(
        ErrorKind::usage,
        "'{}' is no name for a plugin: it takes lower-case letters, digits and single '_' between them, "
        "begins with a letter and has {} of them at most{}",
        name, kLongest, is_plugin_name(near) ? "; did you mean '" + near + "'?" : ", as in my_vit");
  }
  if (std::find(kTaken.begin(), kTaken.end(), name) != kTaken.end()) {
    throw Error(
        ErrorKind::usage,
        "a plugin cannot be called '{}', since CMake or LibTorch has a target of that name; add a word, "
        "as in my_{}",
        name, name);
  }
}

PluginNames names_of(const std::string& kind, const std::string& name) {
  std::string camel;
  bool begins_word = true;
  for (const char c : name) {
    if (c != '_') {
      camel += begins_word && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    begins_word = c == '_';
  }
  return {kind, name, camel};
}

std::string filled_in(std::string_view text, const PluginNames& names, const std::string& place) {
  static const std::regex kPlaceholder(R"(\{\{([A-Za-z_]\w*)\}\})");
  std::string result;
  const char* copied = text.data();
  const char* const end = text.data() + text.size();
  for (std::cregex_iterator match(copied, end, kPlaceholder), none; match != none; ++match) {
    const std::string word = match->str(1);
    result.append(copied, (*match)[0].first);
    copied = (*match)[0].second;
    if (word == "name") {
      result += names.name;
    } else if (word == "Name") {
      result += names.class_name;
    } else if (word == "kind") {
      result += names.kind;
    } else {
      throw Error(ErrorKind::internal, "{}: a template knows name, Name and kind, not {}", place,
                  match->str());
    }
  }
  return result.append(copied, end);
}

}  // namespace patchioner
