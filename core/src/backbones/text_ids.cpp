#include "backbones/text_ids.hpp"

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

namespace patchioner {
namespace {

/// "full", "basic", "none" as the option `text_clean` says it.
TextClean text_clean_from(const std::string& name) {
  return name == "none" ? TextClean::none : name == "basic" ? TextClean::basic : TextClean::full;
}

}  // namespace

TextIds::TextIds(const TextOptions& options, int64_t context, int64_t most_ids, std::string name)
    : context_(context), truncate_(options.truncate), name_(std::move(name)) {
  if (options.vocabulary.empty()) {
    return;
  }
  if (!std::filesystem::exists(options.vocabulary)) {
    throw Error(ErrorKind::io, "{}: there is no such vocabulary", options.vocabulary);
  }
  tokenizer_ = Lazy<ClipTokenizer>([file = options.vocabulary, clean = text_clean_from(options.text_clean),
                                    most_ids] {
    const std::shared_ptr<const ClipTokenizer> opened = ClipTokenizer::open(file, clean);
    if (most_ids > 0 && opened->size() > most_ids) {
      throw Error(ErrorKind::config,
                  "{}: the vocabulary has {} ids, the text tower only {}; they belong to different models",
                  file, opened->size(), most_ids);
    }
    return opened;
  });
}

at::Tensor TextIds::of(std::span<const std::string> texts) const {
  if (!tokenizer_) {
    throw Error(ErrorKind::config,
                "{}: texts cannot be encoded without a tokenizer; set `vocabulary` to CLIP's "
                "bpe_simple_vocab_16e6.txt.gz or to a vocab.json "
                "with its merges.txt beside",
                name_);
  }
  const at::Tensor ids = tokenizer_->tokenize(texts, context_, truncate_);  // [N,C]
  warn_about_cut(texts, ids);
  return ids;
}

void TextIds::warn_about_cut(std::span<const std::string> texts, const at::Tensor& ids) const {
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

std::string TextIds::digest() const {
  return tokenizer_ ? tokenizer_->digest() : "none";
}

}  // namespace patchioner
