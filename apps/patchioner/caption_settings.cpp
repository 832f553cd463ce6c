// What makes the records of two runs the same.
#include "caption.hpp"
#include "runtime/run_digest.hpp"

namespace patchioner::caption {
namespace {

constexpr const char* kVersion = "1";  // of what a record means; another one cannot be resumed

}  // namespace

std::string records_digest(const Arguments& arguments, const Value& config, PluginHost& host) {
  return run_settings(config, host,
                      fmt::format("{} exif={} explain={} memory_texts={}", kVersion, arguments.exif,
                                  arguments.explain, arguments.explain ? arguments.memory_texts : 0))
      .digest;
}

}  // namespace patchioner::caption
