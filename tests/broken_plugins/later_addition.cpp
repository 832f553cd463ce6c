#include "simple_gap.hpp"

namespace patchioner {
int function_of_a_later_program();
}

namespace {
class Needs : public Simple {
 public:
  Needs(SimpleOptions options, const patchioner::PluginContext& context)
      : Simple(options, context), answer_(patchioner::function_of_a_later_program()) {}

 private:
  [[maybe_unused]] int answer_;
};
}  // namespace

PATCHIONER_PLUGIN(gap, later_addition, "1", "Uses an addition of a later program of the same SDK", Needs,
                  SimpleOptions)
