// The one exception type of the project. Everything that goes wrong because of the outside world - a config,
// a plugin, a checkpoint, data, the file system - is thrown as an Error at the point where it is detected,
// gains context on its way up, and is printed once, at the top. Programming mistakes are asserts, never
// Errors.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace patchioner {

/// What kind of thing was wrong; decides the exit code (usage and config: 2, everything else: 1).
enum class ErrorKind {
  usage,       ///< the command line
  config,      ///< a YAML document, an override, a value out of range
  plugin,      ///< a shared library that is missing, refused, or misbehaved
  checkpoint,  ///< weights: container, names, shapes
  data,        ///< images, regions, captions, banks
  io,          ///< the file system: cannot open, read, write; disk full
  internal,    ///< a promise of our own code that did not hold
};

/// The word for a kind as it is printed and as it stands in JSON records ("config", "checkpoint" ...).
std::string_view to_string(ErrorKind kind);

/// One clear sentence: what, where (file:line, key, tensor name, shape), what was expected, what to do.
///
///     throw Error(ErrorKind::data, "{}: the image is empty (0 bytes); give a JPEG or PNG file", path);
///
/// Copyable, and safe to throw across the border of a plugin, since a plugin's library is never unloaded.
class Error : public std::runtime_error {
 public:
  /// The sentence in {fmt}'s format, which the compiler checks, and what belongs into it.
  template <class... Arguments>
  Error(ErrorKind kind, fmt::format_string<Arguments...> format, Arguments&&... arguments)
      : std::runtime_error(fmt::format(format, std::forward<Arguments>(arguments)...)), kind_(kind) {}

  /// What kind of thing was wrong.
  ErrorKind kind() const { return kind_; }

  /// The same error with a place in front: "while loading backbone 'clip': <message>".
  Error within(std::string_view context) const { return Error(kind_, "{}: {}", context, what()); }

  /// 2 for usage and config, 1 for everything else.
  int exit_code() const { return kind_ == ErrorKind::usage || kind_ == ErrorKind::config ? 2 : 1; }

 private:
  ErrorKind kind_;
};

}  // namespace patchioner
