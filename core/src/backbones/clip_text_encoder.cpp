#include "backbones/clip_text_encoder.hpp"

#include <ATen/core/grad_mode.h>

#include <patchioner/error.hpp>

#include "support/files.hpp"

namespace patchioner {

namespace {

/// The ids a text may have, by options and tower.
int64_t context_of(const TextOptions& options, const ClipTextConfig& tower) {
  if (options.context > tower.context) {
    throw Error(ErrorKind::config, "a context of {} ids is longer than the text tower's {}", options.context,
                tower.context);
  }
  return options.context > 0 ? options.context : tower.context;
}

}  // namespace

ClipTextEncoder::ClipTextEncoder(LazyTower<ClipText> tower, const TextOptions& options, std::string name)
    : tower_(std::move(tower)),
      context_(context_of(options, config())),
      ids_(options, context_, config().vocabulary, std::move(name)) {}

at::Tensor ClipTextEncoder::encode(std::span<const std::string> texts) const {
  return encode_ids(ids_.of(texts));
}

at::Tensor ClipTextEncoder::encode_ids(const at::Tensor& ids) const {
  const at::NoGradGuard no_gradients;
  return tower_->encode(ids).to(at::kCPU, at::kFloat);  // [N,D]
}

std::string ClipTextEncoder::digest(const std::string& weights, const std::string& more) const {
  const BlockConfig& block = config().block;
  return sha256(
      fmt::format("weights={}\nheads={}\nactivation={}\nepsilon={}\nend_id={}\ncontext={}\ntokenizer={}\n{}",
                  weights, block.heads, static_cast<int>(block.activation), block.epsilon,
                  config().end_id.value_or(-1), context_, ids_.digest(), more));
}

}  // namespace patchioner
