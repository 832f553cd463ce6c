#include "simple_gap.hpp"

int absent_answer();

namespace {
class Needs : public Simple {
 public:
  Needs(SimpleOptions options, const patchioner::PluginContext& context)
      : Simple(options, context), answer_(absent_answer()) {}

 private:
  [[maybe_unused]] int answer_;
};
}  // namespace

PATCHIONER_PLUGIN(gap, missing_dependency, "1", "Needs a library that is not installed", Needs, SimpleOptions)
