// The interface of a decoder: a feature of the text space to words.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <patchioner/backbone.hpp>
#include <patchioner/random.hpp>
#include <span>
#include <string>
#include <vector>

namespace patchioner {

/// Something that a decoder looked up before it spoke.
struct Evidence {
  std::string kind;   ///< what it is, such as "entity", "memory caption" or "concept"
  std::string text;   ///< the entity's name, the caption ...
  double score = 0;   ///< what the decoder chose by: a probability, a similarity, a count
  bool used = false;  ///< whether it had a part in the prompt
};

/// Another text that a search has found for the same feature.
struct AlternativeCaption {
  std::string text;      ///< cleaned, as Caption::text
  std::string raw_text;  ///< as Caption::raw_text
  double score = 0;      ///< as Caption::score
};

/// One decoded caption.
struct Caption {
  std::string
      text;  ///< cleaned: no markers, spaces and full stops stripped from both ends (spec/01 section 6.1)
  std::string raw_text;             ///< as the tokenizer gives it, markers removed, before cleaning
  double score = 0;                 ///< the decoder's confidence; how it is computed is a decoder option
  std::vector<int64_t> token_ids;   ///< all generated ids, end marker included
  std::vector<std::string> tokens;  ///< the same as text pieces
  std::vector<double> log_probabilities;  ///< log-probability of each generated id, natural logarithm
  std::vector<AlternativeCaption>
      alternatives;  ///< the search's next best texts, when more than one is asked for
  std::string
      prompt;  ///< words that the decoder was made to read before it spoke; only when asked to explain
  std::vector<Evidence> evidence;  ///< what it looked up, in the order found; only when asked to explain
};

/// What a decoder may read.
struct DecodeInput {
  at::Tensor features;         ///< [R,D] after the gap
  at::Tensor region_features;  ///< [R,D] before the gap (entity and memory retrieval read these)
  const Backbone* backbone =
      nullptr;           ///< for decoders that encode texts of their own; lives as long as the call
  bool explain = false;  ///< also fill Caption::log_probabilities, tokens, prompt and evidence
};

/// Captions and their features as a decoder is trained on them, N of them.
struct TrainingBatch {
  at::Tensor features;                             ///< [N,D], of unit length and perturbed by the gap
  at::Tensor ids;                                  ///< [N,T] int64, rows of training_ids()
  std::vector<std::vector<std::string>> entities;  ///< of each caption; none for a decoder that reads none
};

/// A captioner of features. Objects are made by the plugin's factory and are immutable afterwards, but for
/// what a training changes through parameters().
class Decoder {
 public:
  virtual ~Decoder() = default;

  /// Width of the features it reads.
  virtual int64_t dim() const = 0;

  /// Fingerprint of the text side that it was trained with (Backbone::text_fingerprint), empty when unknown.
  virtual std::string text_fingerprint() const { return {}; }

  /// One caption a row of features, in order; results do not depend on how rows are batched. [any-thread]
  virtual std::vector<Caption> decode(const DecodeInput& input) const = 0;

  /// Logits [N,T+1,V] of every position when the ids [N,T] are forced: position t predicts ids[t].
  /// Differentiable.
  virtual at::Tensor logits(const at::Tensor& features, const at::Tensor& ids) const;

  /// Named results of the forward pass for `verify` ("prefix_embedding" ...). Throws an Error of kind data
  /// for an unknown name.
  virtual at::Tensor probe(const std::string& name, const std::map<std::string, at::Tensor>& inputs) const;

  // --- decoders that can be trained
  // -------------------------------------------------------------------------------------

  /// What a loss is made of.
  struct Loss {
    at::Tensor value;     ///< scalar, differentiable
    double accuracy = 0;  ///< share of the labels that the arg-max hits
  };

  /// Whether the functions below are there: training_ids(), loss(), parameters() and save().
  virtual bool trainable() const { return false; }

  /// What a caption becomes before it is tokenised, encoded by the text side, and searched for entities.
  virtual std::string training_text(const std::string& caption) const { return caption; }

  /// Whether loss() reads TrainingBatch::entities.
  virtual bool reads_training_entities() const { return false; }

  /// Entities that a caption (from training_text) names, in order, for captions that come without.
  virtual std::vector<std::string> training_entities(const std::string& caption) const;

  /// Token ids [N,T] as loss() wants them, rows filled up behind with what it takes for no token. Texts that
  /// the tokenizer refuses are left out and their positions are appended to `dropped`.
  virtual at::Tensor training_ids(std::span<const std::string> captions, std::vector<size_t>& dropped) const;

  /// Loss of a batch. While `training` dropout is on (drawn from LibTorch's default generator), and what the
  /// decoder hides from itself at random is drawn from `random`.
  virtual Loss loss(const TrainingBatch& batch, RandomSource& random, bool training) const;

  /// The trainable parameters by checkpoint name; the tensors are shared with the decoder.
  virtual std::vector<std::pair<std::string, at::Tensor>> parameters() const { return {}; }

  /// Writes weights and whatever else `decode` needs, in the layout of the reference's checkpoints,
  /// atomically. `text_fingerprint` is that of the text side which the captions' features came from
  /// (Backbone::text_fingerprint); it is kept beside, for text_fingerprint() of a decoder that is loaded.
  virtual void save(const std::string& path, const std::string& text_fingerprint) const;
};

}  // namespace patchioner
