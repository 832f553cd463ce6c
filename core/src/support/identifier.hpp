// The names that plugins give themselves and their options.
#pragma once

#include <string_view>

namespace patchioner {

/// Whether `name` is made of letters, digits and '_' (ASCII), and of at least one.
inline bool is_identifier(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
             std::string_view::npos;
}

}  // namespace patchioner
