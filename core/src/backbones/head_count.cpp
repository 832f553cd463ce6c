#include "backbones/head_count.hpp"

#include <patchioner/error.hpp>

namespace patchioner {

int64_t head_count_of(int64_t known, int64_t width, const StateDict& file, const std::string& option) {
  if (known == 0 && width % kUsualHeadWidth != 0) {
    throw Error(ErrorKind::config,
                "{}: the width of {} is no multiple of {}, so the head count cannot be guessed; set `{}`",
                file.description(), width, kUsualHeadWidth, option);
  }
  return known > 0 ? known : width / kUsualHeadWidth;
}

}  // namespace patchioner
