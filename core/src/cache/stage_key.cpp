#include <algorithm>
#include <patchioner/error.hpp>

#include "cache/stage_cache.hpp"

namespace patchioner {

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::encode:
      return "encode";
    case Stage::aggregate:
      return "aggregate";
    case Stage::bridge:
      return "bridge";
    case Stage::decode:
      return "decode";
    case Stage::score:
      return "score";
  }
  throw Error(ErrorKind::internal, "there is no stage {}", static_cast<int>(stage));
}

std::optional<Stage> stage_named(std::string_view name) {
  const auto* const found = std::find_if(std::begin(kStages), std::end(kStages),
                                         [&](Stage stage) { return to_string(stage) == name; });
  return found == std::end(kStages) ? std::nullopt : std::optional(*found);
}

std::string to_string(const StageKey& key) {
  return fmt::format("{}/{}", to_string(key.stage), key.digest);
}

}  // namespace patchioner
