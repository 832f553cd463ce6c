// A decoder that cannot be made without its file; and what else is thrown when one is made, told by the
// environment.
#include <cstdlib>
#include <new>
#include <patchioner/plugin.hpp>

namespace {

using namespace patchioner;

struct NeedsFileOptions {
  std::string weights;
};

void declare(ParameterList<NeedsFileOptions>& list) {
  list.add("weights", &NeedsFileOptions::weights, "the weights").path();
}

class NeedsFile : public Decoder {
 public:
  NeedsFile(const NeedsFileOptions&, const PluginContext&) {
    const char* thrown = std::getenv("NEEDS_FILE_THROWS");
    const std::string what = thrown == nullptr ? "" : thrown;
    if (what == "bad_alloc") {
      throw std::bad_alloc();
    }
    if (what == "torch") {
      (void)at::ones({2, 3}).matmul(at::ones({2, 3}));
    }
    if (what == "number") {
      throw 42;
    }
    throw Error(what == "data"     ? ErrorKind::data
                : what == "plugin" ? ErrorKind::plugin
                                   : ErrorKind::config,
                "there is nothing to load");
  }

  int64_t dim() const override { return 1; }
  std::vector<Caption> decode(const DecodeInput&) const override { return {}; }
};

}  // namespace

PATCHIONER_PLUGIN(decoder, needs_file, "1", "Needs a file", NeedsFile, NeedsFileOptions)
