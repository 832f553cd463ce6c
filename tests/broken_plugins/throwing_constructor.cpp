// Throws what its option says, an exception type of its own among it.
#include <patchioner/plugin.hpp>

namespace {

struct ThrowingOptions {
  std::string what = "error";
};

void declare(patchioner::ParameterList<ThrowingOptions>& list) {
  list.add("what", &ThrowingOptions::what, "what is thrown").choices({"error", "own", "torch", "number"});
}

class OwnException : public std::exception {
 public:
  const char* what() const noexcept override { return "the tape is full"; }
};

class Throwing : public patchioner::Gap {
 public:
  Throwing(const ThrowingOptions& options, const patchioner::PluginContext&) {
    if (options.what == "error") {
      throw patchioner::Error(patchioner::ErrorKind::checkpoint, "weights.pth: truncated");
    }
    if (options.what == "own") {
      throw OwnException();
    }
    if (options.what == "torch") {
      (void)at::ones({2, 3}).matmul(at::ones({2, 3}));
    }
    throw 42;
  }
  at::Tensor to_text_space(const at::Tensor& features) const override { return features; }
};

}  // namespace

PATCHIONER_PLUGIN(gap, throwing_constructor, "1", "Throws while it is made", Throwing, ThrowingOptions)
