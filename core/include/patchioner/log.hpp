// How core and plugins tell the user something that is not a result: through the host, which decides where it
// goes. Libraries and plugins never print and never exit.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <utility>

namespace patchioner {

/// How much a line matters, least first.
enum class LogLevel { debug, info, warning };

/// Hands one line (without a line end) to the host's sink; by default the sink writes to standard error.
/// [any-thread]
void log_line(LogLevel level, const std::string& line);

/// Replaces the sink; an empty function restores the default. Returns the sink that was there. [any-thread]
std::function<void(LogLevel, const std::string&)> set_log_sink(
    std::function<void(LogLevel, const std::string&)> sink);

/// Lines below this level are dropped before they reach the sink; info by default. [any-thread]
void set_log_level(LogLevel level);

/// The same with {fmt}'s format: `log(LogLevel::info, "{} tensors", count)`. [any-thread]
template <class... Arguments>
void log(LogLevel level, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log_line(level, fmt::format(format, std::forward<Arguments>(arguments)...));
}

/// Like log(warning), but each distinct text is handed on only once a process, so that a warning about a
/// setting does not come once an image.
void warn_once(const std::string& line);

}  // namespace patchioner
