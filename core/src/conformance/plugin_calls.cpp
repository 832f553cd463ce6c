#include "conformance/plugin_calls.hpp"

#include <c10/util/Exception.h>
#include <cxxabi.h>

#include <cstdlib>
#include <memory>

#include "support/printable.hpp"

namespace patchioner {
namespace {

/// The type of the exception in flight as C++ writes it.
std::string thrown_type() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) {
    return "an unknown type";
  }
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(
      abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), std::free);
  return status == 0 ? readable.get() : type->name();
}

/// The first line, since LibTorch's messages have many.
std::string first_line(std::string_view text) {
  return printable(text.substr(0, text.find('\n')));
}

}  // namespace

std::string thrown_text() {
  try {
    throw;
  } catch (const Error& error) {
    return fmt::format("an Error of kind {}: '{}'", to_string(error.kind()), printable(error.what()));
  } catch (const c10::Error& error) {
    return fmt::format("{}, which is no patchioner::Error: '{}'", thrown_type(),
                       first_line(error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return fmt::format("{}, which is no patchioner::Error: '{}'", thrown_type(), first_line(error.what()));
  } catch (...) {
    return fmt::format("an object of type {}, which is no exception", thrown_type());
  }
}

}  // namespace patchioner
