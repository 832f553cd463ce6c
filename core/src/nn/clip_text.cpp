#include "nn/clip_text.hpp"

#include <ATen/core/grad_mode.h>

#include <patchioner/error.hpp>

namespace patchioner {
namespace {

// Rows computed together: enough to keep two cores busy, few enough that rows of like length share a chunk
// and the hidden activations (64 x 77 x 4 x 512 floats) stay in the cache.
constexpr int64_t kChunkRows = 64;

}  // namespace

ClipText::ClipText(const ClipTextConfig& config, const WeightSource& source, at::ScalarType precision)
    : config_(config) {
  const int64_t width = config.block.width;
  embedding_ = source("token_embedding.weight", {config.vocabulary, width});
  positions_ = source("positional_embedding", {config.context, width});
  config_.block.mask = AttentionMask::causal;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    blocks_.emplace_back(config_.block, BlockNames::openai(),
                         with_prefix(source, "transformer.resblocks." + std::to_string(layer) + "."),
                         precision);
  }
  final_norm_ = LayerNorm(source, "ln_final", width, config.block.epsilon);
  projection_ = source("text_projection", {width, config.dim});
}

at::Tensor ClipText::encode_chunk(const at::Tensor& ids, const at::Tensor& ends) const {
  at::Tensor x = at::embedding(embedding_, ids) + positions_.slice(0, 0, ids.size(1));  // [N,T,W]
  for (const TransformerBlock& block : blocks_) {
    x = block.forward(x);  // [N,T,W]
  }
  const at::Tensor rows = at::arange(ids.size(0), ids.options());
  const at::Tensor last = x.index({rows, ends});              // [N,W]
  return at::matmul(final_norm_.forward(last), projection_);  // [N,D]
}

at::Tensor ClipText::encode(const at::Tensor& ids) const {
  if (ids.dim() != 2) {
    throw Error(ErrorKind::data, "token ids must be a table of one text a row; got a tensor with {} axes",
                ids.dim());
  }
  if (ids.size(1) > config_.context || ids.size(1) == 0) {
    throw Error(ErrorKind::data, "texts of {} token ids do not fit the text tower, which takes 1 to {}",
                ids.size(1), config_.context);
  }
  const at::Tensor wanted = ids.to(embedding_.device(), at::kLong);  // [N,C]
  if (wanted.size(0) == 0) {
    return at::zeros({0, config_.dim}, embedding_.options().requires_grad(false));
  }
  if (wanted.min().item<int64_t>() < 0 || wanted.max().item<int64_t>() >= config_.vocabulary) {
    throw Error(ErrorKind::data,
                "token ids from {} to {} lie outside the text tower's vocabulary of {} ids; the tokenizer's "
                "vocabulary "
                "belongs to another model",
                wanted.min().item<int64_t>(), wanted.max().item<int64_t>(), config_.vocabulary);
  }
  // argmax gives the first of several maxima, which is the rule (spec/02 section 9).
  const at::Tensor ends =
      config_.end_id ? (wanted == *config_.end_id).to(at::kLong).argmax(1) : wanted.argmax(1);  // [N]
  if (at::GradMode::is_enabled()) {
    return encode_chunk(wanted.slice(1, 0, ends.max().item<int64_t>() + 1), ends);
  }
  const at::Tensor order = ends.argsort(true, 0, false);  // [N]
  std::vector<at::Tensor> parts;
  for (int64_t start = 0; start < order.size(0); start += kChunkRows) {
    const at::Tensor chosen = order.slice(0, start, start + kChunkRows);
    const at::Tensor chosen_ends = ends.index_select(0, chosen);
    const int64_t length = chosen_ends.max().item<int64_t>() + 1;
    parts.push_back(encode_chunk(wanted.index_select(0, chosen).slice(1, 0, length), chosen_ends));
  }
  const at::Tensor sorted = at::cat(parts);  // [N,D]
  return at::empty_like(sorted).index_copy_(0, order, sorted);
}

}  // namespace patchioner
