// What a test says about a call that must be refused.
#pragma once

#include <doctest/doctest.h>

#include <patchioner/error.hpp>
#include <string>
#include <string_view>

namespace patchioner {

/// The sentence of the Error that `call` throws; the test fails when it throws none.
template <class Call>
std::string refusal_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  FAIL("nothing was thrown");
  return {};
}

/// The same, of an Error that must be of this kind.
template <class Call>
std::string refusal_of(ErrorKind kind, Call&& call) {
  return refusal_of([&] {
    try {
      call();
    } catch (const Error& error) {
      CHECK(to_string(error.kind()) == to_string(kind));
      throw;
    }
  });
}

/// Checks that a sentence has a part, and shows the sentence when it has not.
inline void mentions(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace patchioner
