// What the decoders that speak after a hard prompt can be told about it, about their files and about their
// search: shared by ViECap and MeaCap.
#pragma once

#include <patchioner/parameters.hpp>
#include <string>
#include <vector>

#include "decoding/prompted_gpt2.hpp"

namespace patchioner {

/// The section `tokenizer`.
struct TokenizerSection {
  std::string merges;
  std::string vocabulary;
};

/// The section `heads`: what the weights do not tell. 0: as the settings beside the weights say, else as the
/// published models have it.
struct HeadsSection {
  int64_t mapping = 0;
  int64_t language_model = 0;
};

/// The section `search`.
struct SearchSection {
  std::string type = "greedy";
  int64_t beam_width = 5;
  int64_t max_length = 64;
  double temperature = 1;
  double top_p = 0.8;
  int64_t seed = 0;
  int64_t n_best = 1;
  std::vector<std::string> stop = {".", " ."};
};

inline void declare(ParameterList<TokenizerSection>& list) {
  using O = TokenizerSection;
  list.add("merges", &O::merges, "GPT-2's merges.txt, tokenizer.json, or a folder that holds one of them")
      .path()
      .required();
  list.add("vocabulary", &O::vocabulary, "the vocab.json that belongs to it; need not be given").path();
}

inline void declare(ParameterList<HeadsSection>& list) {
  using O = HeadsSection;
  list.add("mapping", &O::mapping, "attention heads of the mapping network; otherwise settings file, or 8")
      .range(1, 1000)
      .unset();
  list.add("language_model", &O::language_model,
           "attention heads of the GPT-2; otherwise settings file, or 12")
      .range(1, 1000)
      .unset();
}

inline void declare(ParameterList<SearchSection>& list) {
  using O = SearchSection;
  list.add("type", &O::type, "how a text is searched for").choices({"greedy", "beam", "nucleus"});
  list.add("beam_width", &O::beam_width, "texts kept at every step of a beam search").range(1, 1000);
  list.add("max_length", &O::max_length, "tokens a caption, prompts not counted").range(1, 1000);
  list.add("temperature", &O::temperature, "of beam and nucleus: logits are divided by it").range(1e-6);
  list.add("top_p", &O::top_p,
           "of nucleus: each token is drawn among the most probable ones that have this share together")
      .range(1e-6, 1);
  list.add("seed", &O::seed, "of nucleus: another seed draws other texts").range(0);
  list.add("n_best", &O::n_best,
           "texts a caption, the others beside the best one: up to beam_width, or so many samples of nucleus")
      .range(1, 1000);
  list.add("stop", &O::stop, "a caption ends behind the last token of one of these texts");
}

/// What both decoders have beside what finds their entities.
struct PromptedOptions {
  std::string weights;
  std::string language_model;  ///< with `fresh`: what a decoder without weights begins from
  Value fresh;
  Value tokenizer;
  Value heads;
  Value search;
  std::string layout = "soft_first";
  std::string score = "perplexity";
  std::string retrieval_feature = "raw";
  bool clean_up_tokenization_spaces = false;
  bool reference_batch_padding = false;

  PromptedGpt2Files files(PromptedKind kind) const;
  TextSearchOptions search_options() const;
};

/// Declares what a decoder begins from when it is to be trained; its `weights` are then not required.
template <class Options>
void declare_start(ParameterList<Options>& list, std::string Options::*language_model,
                   Value Options::*fresh) {
  list.add("language_model", language_model,
           "training without `weights`: begin from this GPT-2 of Hugging Face, with a fresh network in front")
      .path();
  list.add(
      "fresh", fresh,
      "training without `weights`: sizes, {dim: the backbone's, prompt_length: 10, projected_length: 10, "
      "mapping_layers: 8}, and without `language_model` {width: 768, layers: 12, positions: 1024}");
}

/// Declares the fields of PromptedOptions, without those of declare_start, for options that are derived from
/// it.
template <class Options>
void declare_prompted(ParameterList<Options>& list, bool weights_required) {
  using O = PromptedOptions;
  using Text = std::string Options::*;
  using Flag = bool Options::*;
  using Section = Value Options::*;
  auto weights = list.add("weights", static_cast<Text>(&O::weights),
                          "ViECap's checkpoint (coco_prefix-*.pt), or safetensors of its names");
  weights.path();
  if (weights_required) {
    weights.required();
  }
  list.add("tokenizer", static_cast<Section>(&O::tokenizer),
           "GPT-2's files: {merges: merges.txt, vocabulary: vocab.json}");
  list.add("heads", static_cast<Section>(&O::heads),
           "attention heads, 8 and 12 as published: {mapping: 8, language_model: 12}");
  list.add(
      "search", static_cast<Section>(&O::search),
      "{type: greedy, beam or nucleus, beam_width: 5, max_length: 64, temperature: 1, top_p: 0.8, seed: 0, "
      "n_best: 1, stop: [\".\", \" .\"]}");
  list.add("layout", static_cast<Text>(&O::layout), "what the language model reads, in this order")
      .choices({"soft_first", "hard_first", "only_hard", "no_hard"});
  list.add("score", static_cast<Text>(&O::score),
           "of a caption: perplexity without the prompt (lower is better, as the reference has it), the same "
           "negated, or mean log-probability of its tokens (higher is better both)")
      .choices({"perplexity", "neg_perplexity", "log_probability"});
  list.add("retrieval_feature", static_cast<Text>(&O::retrieval_feature),
           "what entities or memory captions are searched with: the feature before or behind the gap")
      .choices({"raw", "bridged"});
  list.add("clean_up_tokenization_spaces", static_cast<Flag>(&O::clean_up_tokenization_spaces),
           "no space before punctuation and contractions");
  list.add(
      "reference_batch_padding", static_cast<Flag>(&O::reference_batch_padding),
      "fill hard prompts up with '!' to the longest of the batch, as the reference; captions then depend "
      "on what they are decoded with");
}

}  // namespace patchioner
