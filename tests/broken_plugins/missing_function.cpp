#include "simple_gap.hpp"

namespace patchioner::removed {
int function_of_an_older_version(const std::string& name);
}

namespace {
class Needs : public Simple {
 public:
  Needs(SimpleOptions options, const patchioner::PluginContext& context)
      : Simple(options, context), answer_(patchioner::removed::function_of_an_older_version("x")) {}

 private:
  [[maybe_unused]] int answer_;
};
}  // namespace

PATCHIONER_PLUGIN(gap, missing_function, "1", "Calls a function that no library has any more", Needs,
                  SimpleOptions)
