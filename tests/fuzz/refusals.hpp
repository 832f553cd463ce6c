// What a target allows a parser to do with damaged input.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <patchioner/error.hpp>
#include <stdexcept>

namespace patchioner {

/// Runs `call`, which may refuse with an Error of one of these kinds and do nothing else out of the ordinary.
template <class Call>
void allow_refusal(std::initializer_list<ErrorKind> kinds, Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    if (std::find(kinds.begin(), kinds.end(), error.kind()) == kinds.end()) {
      throw;
    }
  }
}

/// What must hold of everything that was read; thrown where allow_refusal lets nothing pass.
inline void require(bool holds, const char* promise) {
  if (!holds) {
    throw std::logic_error(promise);
  }
}

}  // namespace patchioner
