#include <patchioner/error.hpp>

namespace patchioner {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::config:
      return "config";
    case ErrorKind::plugin:
      return "plugin";
    case ErrorKind::checkpoint:
      return "checkpoint";
    case ErrorKind::data:
      return "data";
    case ErrorKind::io:
      return "io";
    case ErrorKind::internal:
      return "internal";
  }
  return "unknown";
}

}  // namespace patchioner
