#include "nn/clip_text_encoder.hpp"

#include <ATen/core/grad_mode.h>

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "support/files.hpp"

namespace patchioner {

ClipTextEncoder::ClipTextEncoder(std::shared_ptr<const ClipText> tower,
                                 std::shared_ptr<const ClipTokenizer> tokenizer, int64_t context,
                                 bool truncate, std::string name)
    : tower_(std::move(tower)),
      tokenizer_(std::move(tokenizer)),
      truncate_(truncate),
      name_(std::move(name)) {
  const ClipTextConfig& config = tower_->config();
  if (context > config.context) {
    throw Error(ErrorKind::config, "{}: a context of {} ids is longer than the text tower's {}", name_,
                context, config.context);
  }
  context_ = context > 0 ? context : config.context;
  if (tokenizer_ != nullptr && tokenizer_->size() > config.vocabulary) {
    throw Error(ErrorKind::config,
                "{}: the vocabulary has {} ids, the text tower only {}; they belong to different models",
                name_, tokenizer_->size(), config.vocabulary);
  }
}

at::Tensor ClipTextEncoder::encode(std::span<const std::string> texts) const {
  if (tokenizer_ == nullptr) {
    throw Error(ErrorKind::config,
                "{}: texts cannot be encoded without a tokenizer; set `vocabulary` to CLIP's "
                "bpe_simple_vocab_16e6.txt.gz or to a vocab.json "
                "with its merges.txt beside",
                name_);
  }
  const at::Tensor ids = tokenizer_->tokenize(texts, context_, truncate_);  // [N,C]
  warn_about_cut(texts, ids);
  return encode_ids(ids);
}

void ClipTextEncoder::warn_about_cut(std::span<const std::string> texts, const at::Tensor& ids) const {
  // Only a full row can have been cut; whether it was, the text alone tells.
  const at::Tensor full = ids.select(1, context_ - 1) == tokenizer_->end_id();  // [N]
  const at::Tensor candidates = full.nonzero().flatten();
  for (int64_t i = 0; i < candidates.size(0); ++i) {
    const std::string& text = texts[candidates[i].item<int64_t>()];
    const auto length = static_cast<int64_t>(tokenizer_->encode(text).size()) + 2;
    if (length > context_) {
      warn_once(fmt::format("{}: texts longer than {} ids are cut (set truncate: false to refuse them)",
                            name_, context_));
      return;
    }
  }
}

at::Tensor ClipTextEncoder::encode_ids(const at::Tensor& ids) const {
  const at::NoGradGuard no_gradients;
  return tower_->encode(ids).to(at::kCPU, at::kFloat);  // [N,D]
}

std::string ClipTextEncoder::digest(const std::string& weights, const std::string& more) const {
  const ClipTextConfig& config = tower_->config();
  return sha256(fmt::format(
      "weights={}\nheads={}\nactivation={}\nepsilon={}\nend_id={}\ncontext={}\ntokenizer={}\n{}", weights,
      config.block.heads, static_cast<int>(config.block.activation), config.block.epsilon,
      config.end_id.value_or(-1), context_, tokenizer_ == nullptr ? "none" : tokenizer_->digest(), more));
}

TextClean text_clean_from(const std::string& name) {
  return name == "none" ? TextClean::none : name == "basic" ? TextClean::basic : TextClean::full;
}

}  // namespace patchioner
