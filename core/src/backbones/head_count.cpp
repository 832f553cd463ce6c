#include "backbones/head_count.hpp"

#include <patchioner/error.hpp>

namespace patchioner {

std::optional<int64_t> usual_head_count(const std::optional<int64_t>& width) {
  return width && *width > 0 && *width % kUsualHeadWidth == 0 ? std::optional(*width / kUsualHeadWidth)
                                                              : std::nullopt;
}

int64_t head_count_of(int64_t known, const std::optional<int64_t>& width, const StateDict& file,
                      const std::string& option) {
  if (!width) {
    return 1;
  }
  const std::optional<int64_t> heads = known == 0 ? usual_head_count(width) : known;
  if (!heads) {
    throw Error(ErrorKind::config,
                "{}: the width of {} is no multiple of {}, so the head count cannot be guessed; set `{}`",
                file.description(), *width, kUsualHeadWidth, option);
  }
  if (*heads < 1 || *width % *heads != 0) {
    throw Error(ErrorKind::config,
                "{}: a width of {} cannot be cut into {} heads; set `{}` to the model's head count",
                file.description(), *width, *heads, option);
  }
  return *heads;
}

}  // namespace patchioner
