// What the plain decoder can be told.
#pragma once

#include <patchioner/parameters.hpp>
#include <string>

namespace patchioner {

/// A size of 0 and a rate of -1 mean "not given": as the config file says, else as the weights' shapes tell,
/// else the reference's value (spec/01 section 6).
struct PlainOptions {
  std::string weights;
  std::string config;
  std::string vocabulary;
  int64_t prefix_size = 0;
  int64_t vocab_size = 0;
  int64_t n_positions = 0;
  int64_t n_embd = 0;
  int64_t n_layer = 0;
  int64_t n_head = 0;
  int64_t n_inner = 0;
  int64_t max_length = 30;
  bool score_until_end = false;
  double resid_pdrop = -1;
  double embd_pdrop = -1;
  double attn_pdrop = -1;
  double label_smoothing = 0.1;
  int64_t training_tokens = 20;
  int64_t context_length = 77;
};

inline void declare(ParameterList<PlainOptions>& list) {
  using O = PlainOptions;
  constexpr double kMostIds = 10'000'000;
  constexpr double kMostWidth = 65'536;
  list.add("weights", &O::weights,
           "checkpoint of the reference (.pt) or safetensors; empty: a fresh model, to be trained")
      .path();
  list.add("config", &O::config,
           "decoder_config.pkl or .json; empty: <stem>_config.json or decoder_config.json beside the "
           "weights, if any")
      .path();
  list.add("vocabulary", &O::vocabulary,
           "CLIP tokenizer (bpe_simple_vocab_16e6.txt.gz, or vocab.json with merges.txt); empty: ids, no "
           "texts")
      .path();
  list.add("prefix_size", &O::prefix_size, "width of the features it reads; otherwise as the weights have it")
      .range(1, kMostWidth)
      .unset();
  list.add("vocab_size", &O::vocab_size,
           "rows of the token embedding; otherwise config file, weights, or 50257")
      .range(1, kMostIds)
      .unset();
  list.add("n_positions", &O::n_positions, "longest text in ids; otherwise config file, weights, or 1024")
      .range(1, kMostIds)
      .unset();
  list.add("n_embd", &O::n_embd, "width of the language model; otherwise config file, weights, or 768")
      .range(1, kMostWidth)
      .unset();
  list.add("n_layer", &O::n_layer, "blocks; otherwise config file, weights, or 4").range(1, 1000).unset();
  list.add("n_head", &O::n_head, "attention heads; otherwise config file, or 4 (weights do not tell)")
      .range(1, 1000)
      .unset();
  list.add("n_inner", &O::n_inner, "width of the MLPs; otherwise config file, weights, or 4 n_embd")
      .range(1, 4 * kMostWidth)
      .unset();
  list.add("max_length", &O::max_length, "greedy steps, start and end marker included").range(1, 1000);
  list.add(
      "score_until_end", &O::score_until_end,
      "score from the ids up to the end marker, and stop there; false: over all steps, as the reference");
  list.add("resid_pdrop", &O::resid_pdrop,
           "training: dropout of what blocks add; otherwise config file, or 0.1")
      .range(0, 0.99)
      .unset();
  list.add("embd_pdrop", &O::embd_pdrop, "training: dropout of the embeddings; otherwise config file, or 0.1")
      .range(0, 0.99)
      .unset();
  list.add("attn_pdrop", &O::attn_pdrop,
           "training: dropout of attention weights; otherwise config file, or 0.1")
      .range(0, 0.99)
      .unset();
  list.add("label_smoothing", &O::label_smoothing, "training: share of the loss spread over all ids")
      .range(0, 1);
  list.add("training_tokens", &O::training_tokens,
           "training: ids of a caption that count, start marker included")
      .range(1, 1000);
  list.add("context_length", &O::context_length, "training: captions of more ids than this are left out")
      .range(3, 1000);
}

}  // namespace patchioner
