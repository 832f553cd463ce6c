// The plain decoder: the architecture of DeCap (spec/01 section 6). One linear map takes a feature to the
// first position of a small GPT-2, which then speaks, greedily.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <patchioner/decoder.hpp>
#include <patchioner/plugin.hpp>

#include "nn/gpt2.hpp"
#include "nn/gpt2_weights.hpp"
#include "plain_options.hpp"
#include "text/clip_tokenizer.hpp"

namespace patchioner {

// Names of the reference's checkpoints (spec/01 section 6).
constexpr const char* kPrefixWeight = "clip_project.model.0.weight";
constexpr const char* kPrefixBias = "clip_project.model.0.bias";
constexpr const char* kDecoderPrefix = "decoder.";

class PlainDecoder final : public Decoder {
 public:
  PlainDecoder(const PlainOptions& options, const PluginContext& context);

  int64_t dim() const override { return prefix_weight_.size(1); }
  std::string text_fingerprint() const override { return text_fingerprint_; }
  std::vector<Caption> decode(const DecodeInput& input) const override;
  at::Tensor logits(const at::Tensor& features, const at::Tensor& ids) const override;

  /// "prefix_embedding" of "features" [N,D]: the output of the linear map [N,E].
  at::Tensor probe(const std::string& name, const std::map<std::string, at::Tensor>& inputs) const override;

  bool trainable() const override { return true; }
  at::Tensor training_ids(std::span<const std::string> captions, std::vector<size_t>& dropped) const override;
  Loss loss(const TrainingBatch& batch, RandomSource& random, bool training) const override;
  std::vector<std::pair<std::string, at::Tensor>> parameters() const override;
  void save(const std::string& path, const std::string& text_fingerprint) const override;

 private:
  /// The weights packed for inference; shared by calls until a training step makes them stale.
  struct Packed {
    Linear prefix;
    Gpt2 model;
  };
  void load(const PlainOptions& options, Gpt2Config config);
  void initialise(const PlainOptions& options, Gpt2Config config);
  std::shared_ptr<const Packed> packed() const;
  void check_features(const at::Tensor& features) const;
  at::Tensor prefix_of(const at::Tensor& features) const;
  Caption caption_of(std::span<const int64_t> ids, std::span<const float> log_probabilities,
                     bool explain) const;

  PlainOptions options_;
  PluginContext context_;
  std::shared_ptr<const ClipTokenizer> tokenizer_;  // none: ids only
  std::string text_fingerprint_;                    // of what it was loaded from
  at::Tensor prefix_weight_, prefix_bias_;          // [E,D], [E]
  Gpt2Weights weights_;
  mutable std::mutex packed_mutex_;
  mutable std::shared_ptr<const Packed> packed_;
  mutable std::atomic<bool> untrained_ = false;
};

}  // namespace patchioner
