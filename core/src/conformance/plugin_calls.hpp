// Calls into a plugin that is not trusted yet: whatever it throws becomes a sentence that names the method.
#pragma once

#include <c10/core/InferenceMode.h>

#include <optional>
#include <patchioner/error.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "conformance/check.hpp"

namespace patchioner {

/// The exception in flight, in words: "an Error of kind data: '...'", "std::bad_alloc, which is no
/// patchioner::Error: '...'", "an object of type int, which is no exception". Called inside a catch block.
std::string thrown_text();

/// Calls a method of the plugin; whatever it throws fails the check.
template <class Call>
decltype(auto) called(std::string_view method, Call&& call) {
  try {
    return call();
  } catch (const CheckFailed&) {
    throw;
  } catch (const CheckSkipped&) {
    throw;
  } catch (...) {
    throw CheckFailed("{} threw {}", method, thrown_text());
  }
}

/// The same for a call that may be refused with an Error of kind `allowed`: nothing then, and its sentence in
/// `refusal`.
template <class Call>
auto called_or_refused(std::string_view method, ErrorKind allowed, std::string& refusal, Call&& call)
    -> std::optional<decltype(call())> {
  return called(method, [&]() -> std::optional<decltype(call())> {
    try {
      return call();
    } catch (const Error& error) {
      if (error.kind() != allowed) {
        throw CheckFailed("{} threw {}; the SDK has an Error of kind {} here", method, thrown_text(),
                          to_string(allowed));
      }
      refusal = error.what();
      return std::nullopt;
    }
  });
}

/// Fails the check unless the call is refused with an Error; of kind `wanted` where one is given. `what` is
/// what the call must not accept: "pixels of one channel".
template <class Call>
void must_refuse(std::string_view method, std::string_view what, std::optional<ErrorKind> wanted,
                 Call&& call) {
  const bool refused = called(method, [&] {
    try {
      call();
      return false;
    } catch (const Error& error) {
      if (wanted && error.kind() != *wanted) {
        throw CheckFailed("{} was given {} and threw {}; the SDK has an Error of kind {} here", method, what,
                          thrown_text(), to_string(*wanted));
      }
      return true;
    } catch (...) {
      throw CheckFailed("{} was given {} and threw {}", method, what, thrown_text());
    }
  });
  if (!refused) {
    throw CheckFailed("{} was given {} and threw no Error", method, what);
  }
}

/// What `call` gives in LibTorch's inference mode, as the captioner calls plugins, then outside of it, as
/// others do, and then in it again.
template <class Call>
auto in_and_out_of_inference(Call&& call) {
  std::vector<decltype(call())> results;
  for (const bool inference : {true, false, true}) {
    const c10::InferenceMode mode(inference);
    results.push_back(call());
  }
  return results;
}

/// What `call` gives on several threads that begin together, one result a thread. The first exception of any
/// is rethrown when all have ended.
template <class Call>
auto at_once(size_t threads, Call&& call) {
  std::vector<decltype(call())> results(threads);
  std::vector<std::exception_ptr> thrown(threads);
  std::vector<std::thread> running;
  for (size_t i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      try {
        results[i] = call();
      } catch (...) {
        thrown[i] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : running) {
    thread.join();
  }
  for (const std::exception_ptr& exception : thrown) {
    if (exception) {
      std::rethrow_exception(exception);
    }
  }
  return results;
}

}  // namespace patchioner
