#include "simple_gap.hpp"
#include "support/byte_size.hpp"

namespace {
class UsesCore : public Simple {
 public:
  UsesCore(SimpleOptions options, const patchioner::PluginContext& context)
      : Simple(options, context), size_(patchioner::format_bytes(1)) {}

 private:
  std::string size_;
};
}  // namespace

PATCHIONER_PLUGIN(gap, uses_core, "1", "Includes a header that is the program's own", UsesCore, SimpleOptions)
