// What the faulty plugins have in common: they are right until an option says what is to be wrong, and where.
#pragma once

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <patchioner/plugin.hpp>

namespace faulty {

struct FaultOptions {
  std::string fault = "none";
  std::string in;
};

template <class Options>
void declare_fault(patchioner::ParameterList<Options>& list) {
  list.add("fault", static_cast<std::string Options::*>(&FaultOptions::fault), "what is wrong");
  list.add("in", static_cast<std::string Options::*>(&FaultOptions::in), "the method in which it is");
}

class OwnException : public std::exception {
 public:
  const char* what() const noexcept override { return "the tape is full"; }
};

[[noreturn]] inline void hang() {
  for (;;) {
    ::sleep(1);
  }
}

/// Called first in every method: does what the options say of this one.
inline void enter(const FaultOptions& options, std::string_view method) {
  if (options.in != method) {
    return;
  }
  const std::string& fault = options.fault;
  if (fault == "error") {
    throw patchioner::Error(patchioner::ErrorKind::internal, "the dynamo is out of oil");
  }
  if (fault == "exception") {
    throw OwnException();
  }
  if (fault == "torch") {
    (void)at::ones({2, 3}).matmul(at::ones({2, 3}));
  }
  if (fault == "number") {
    throw 42;
  }
  if (fault == "crash") {
    ::signal(SIGSEGV, SIG_DFL);
    ::raise(SIGSEGV);
  }
  if (fault == "abort") {
    std::fputs("the keel is broken\n", stderr);
    std::abort();
  }
  if (fault == "exit") {
    std::exit(3);
  }
  if (fault == "hang") {
    hang();
  }
  if (fault == "print") {
    std::puts("hello from a plugin");
  }
}

/// What a call gives in LibTorch's inference mode where that changes it.
inline at::Tensor doubled_in_inference(const at::Tensor& tensor) {
  return c10::InferenceMode::is_enabled() ? tensor * 2 : tensor;
}

/// `tensor` with a number that is none in its first place.
inline at::Tensor spoilt(at::Tensor tensor) {
  if (tensor.numel() > 0) {
    tensor.flatten()[0] = std::numeric_limits<float>::quiet_NaN();
  }
  return tensor;
}

}  // namespace faulty
