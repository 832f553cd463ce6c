// The trainable side of the plain decoder (spec/01 section 6.2).
#include <patchioner/error.hpp>

#include "checkpoint/state_dict.hpp"
#include "decoder_config.hpp"
#include "nn/gpt2_training.hpp"
#include "plain.hpp"
#include "support/files.hpp"

namespace patchioner {

at::Tensor PlainDecoder::prefix_of(const at::Tensor& features) const {
  return at::linear(features.to(prefix_weight_.device()), prefix_weight_, prefix_bias_)
      .unsqueeze(1);  // [N,1,E]
}

at::Tensor PlainDecoder::logits(const at::Tensor& features, const at::Tensor& ids) const {
  check_features(features);
  const at::Tensor words =
      at::embedding(weights_.token_embedding, ids.to(weights_.token_embedding.device()));  // [N,T,E]
  const at::Tensor embeddings = at::cat({prefix_of(features), words}, 1);                  // [N,T+1,E]
  return gpt2_logits(weights_, gpt2_forward(weights_, embeddings, /*dropout=*/false));     // [N,T+1,V]
}

at::Tensor PlainDecoder::probe(const std::string& name,
                               const std::map<std::string, at::Tensor>& inputs) const {
  if (name != "prefix_embedding") {
    return Decoder::probe(name, inputs);
  }
  const auto features = inputs.find("features");
  check_features(features == inputs.end() ? at::Tensor() : features->second);
  return prefix_of(features->second).squeeze(1);  // [N,E]
}

at::Tensor PlainDecoder::training_ids(std::span<const std::string> captions,
                                      std::vector<size_t>& dropped) const {
  if (tokenizer_ == nullptr) {
    throw Error(ErrorKind::config, "the plain decoder cannot be trained without 'vocabulary'");
  }
  const int64_t length = std::min(options_.training_tokens, options_.context_length);
  at::Tensor ids = at::zeros({static_cast<int64_t>(captions.size()), length}, at::kLong);  // [N,T]
  int64_t* row = ids.mutable_data_ptr<int64_t>();
  int64_t kept = 0;
  for (size_t i = 0; i < captions.size(); ++i) {
    std::vector<int64_t> words = tokenizer_->encode(captions[i]);
    if (static_cast<int64_t>(words.size()) + 2 > options_.context_length) {
      dropped.push_back(i);
      continue;
    }
    words.insert(words.begin(), tokenizer_->start_id());
    words.push_back(tokenizer_->end_id());
    // A long caption loses its end, end marker included: the model is not taught to stop there.
    std::copy_n(words.begin(), std::min<size_t>(words.size(), static_cast<size_t>(length)), row);
    row += length;
    ++kept;
  }
  return ids.narrow(0, 0, kept);
}

Decoder::Loss PlainDecoder::loss(const TrainingBatch& batch, RandomSource&, bool training) const {
  check_features(batch.features);
  {
    const std::lock_guard lock(packed_mutex_);
    packed_.reset();  // the caller is about to change the weights
    if (training) {
      untrained_ = false;
    }
  }
  // Position t predicts ids[t], so the last id is no input, and columns behind every caption's end change
  // nothing.
  const at::Tensor ids = batch.ids.to(weights_.token_embedding.device());  // [N,T]
  const at::Tensor columns = (ids != 0).any(0).nonzero();                  // [K,1]
  const int64_t used = columns.size(0) > 0 ? columns[-1].item<int64_t>() + 1 : 1;
  const at::Tensor labels = ids.narrow(1, 0, used);  // [N,T]
  const at::Tensor words =
      at::embedding(weights_.token_embedding, labels.narrow(1, 0, used - 1));  // [N,T-1,E]
  const at::Tensor hidden =
      gpt2_forward(weights_, at::cat({prefix_of(batch.features), words}, 1), training);  // [N,T,E]
  const TokenLoss loss = token_loss(weights_, hidden, labels, options_.label_smoothing);
  return {loss.value, loss.accuracy.item<double>()};
}

std::vector<std::pair<std::string, at::Tensor>> PlainDecoder::parameters() const {
  std::vector<std::pair<std::string, at::Tensor>> result;
  for (auto& [name, tensor] : weights_.named()) {
    result.emplace_back(kDecoderPrefix + name, tensor);
  }
  result.emplace_back(kPrefixWeight, prefix_weight_);
  result.emplace_back(kPrefixBias, prefix_bias_);
  return result;
}

void PlainDecoder::save(const std::string& path, const std::string& text_fingerprint) const {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [name, tensor] : parameters()) {
    if (name == kPrefixWeight) {
      tensors.emplace_back(fmt::format("{}lm_head.weight", kDecoderPrefix),
                           weights_.token_embedding.detach());
    }
    tensors.emplace_back(name, tensor.detach());
  }
  // The settings first: a checkpoint without them might be read as one of other sizes.
  write_file(decoder_config_of(path), decoder_config_json(weights_.config, text_fingerprint));
  write_torch_state_dict(path, tensors);
}

}  // namespace patchioner
