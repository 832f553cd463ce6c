// What the process that runs checks tells the one that watches it: a line of JSON a message, on a pipe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "conformance/check.hpp"

namespace patchioner {

/// One message. Which of the fields mean something is said behind each type.
struct CheckMessage {
  enum class Type {
    begins,   ///< number, name, asserts, gate
    ends,     ///< number, outcome, seconds
    opened,   ///< kind, name, version, summary
    log,      ///< text: a warning
    refuses,  ///< text: the request cannot be run; usage: whether the command line is wrong, or the config
    done,     ///< complete: whether every gate has passed
  };
  Type type = Type::done;
  size_t number = 0;
  std::string name;
  std::string asserts;
  bool gate = false;
  CheckOutcome outcome;
  double seconds = 0;
  std::string kind;
  std::string version;
  std::string summary;
  std::string text;
  bool usage = false;
  bool complete = false;
};

/// Without a line end.
std::string to_line(const CheckMessage& message);

/// Nothing for a line that is no message: a plugin may have written anything.
std::optional<CheckMessage> from_line(std::string_view line);

}  // namespace patchioner
