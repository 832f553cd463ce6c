#include "simple_gap.hpp"

namespace patchioner {
int function_of_the_next_sdk();
}

namespace {
class Needs : public Simple {
 public:
  Needs(SimpleOptions options, const patchioner::PluginContext& context)
      : Simple(options, context), answer_(patchioner::function_of_the_next_sdk()) {}

 private:
  [[maybe_unused]] int answer_;
};
}  // namespace

PATCHIONER_PLUGIN(gap, next_sdk, "1", "Linked with a runtime library of another SDK", Needs, SimpleOptions)
