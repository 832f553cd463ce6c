#include "backbones/clip_text_encoder.hpp"

#include <ATen/core/grad_mode.h>

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "support/files.hpp"

namespace patchioner {
namespace {

/// "full", "basic", "none" as the option `text_clean` says it.
TextClean text_clean_from(const std::string& name) {
  return name == "none" ? TextClean::none : name == "basic" ? TextClean::basic : TextClean::full;
}

}  // namespace

ClipTextEncoder::ClipTextEncoder(LazyTower<ClipText> tower, const TextOptions& options, std::string name)
    : tower_(std::move(tower)), truncate_(options.truncate), name_(std::move(name)) {
  if (options.context > config().context) {
    throw Error(ErrorKind::config, "a context of {} ids is longer than the text tower's {}", options.context,
                config().context);
  }
  context_ = options.context > 0 ? options.context : config().context;
  if (options.vocabulary.empty()) {
    return;
  }
  if (!std::filesystem::exists(options.vocabulary)) {
    throw Error(ErrorKind::io, "{}: there is no such vocabulary", options.vocabulary);
  }
  tokenizer_ = Lazy<ClipTokenizer>([file = options.vocabulary, clean = text_clean_from(options.text_clean),
                                    ids = config().vocabulary] {
    const std::shared_ptr<const ClipTokenizer> opened = ClipTokenizer::open(file, clean);
    if (opened->size() > ids) {
      throw Error(ErrorKind::config,
                  "{}: the vocabulary has {} ids, the text tower only {}; they belong to different models",
                  file, opened->size(), ids);
    }
    return opened;
  });
}

at::Tensor ClipTextEncoder::encode(std::span<const std::string> texts) const {
  if (!tokenizer_) {
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
  const BlockConfig& block = config().block;
  return sha256(
      fmt::format("weights={}\nheads={}\nactivation={}\nepsilon={}\nend_id={}\ncontext={}\ntokenizer={}\n{}",
                  weights, block.heads, static_cast<int>(block.activation), block.epsilon,
                  config().end_id.value_or(-1), context_, tokenizer_ ? tokenizer_->digest() : "none", more));
}

}  // namespace patchioner
