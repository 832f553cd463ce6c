#include "decoding/prompted_options.hpp"

#include "decoding/nested_section.hpp"

namespace patchioner {

PromptedGpt2Files PromptedOptions::files(PromptedKind kind) const {
  const auto tokenizer_files = read_section<TokenizerSection>(tokenizer, "decoder.tokenizer");
  const auto head_counts = read_section<HeadsSection>(heads, "decoder.heads");
  PromptedGpt2Files result;
  result.kind = kind;
  result.weights = weights;
  result.merges = tokenizer_files.merges;
  result.vocabulary = tokenizer_files.vocabulary;
  result.mapping_heads = head_counts.mapping;
  result.language_model_heads = head_counts.language_model;
  return result;
}

TextSearchOptions PromptedOptions::search_options() const {
  const auto section = read_section<SearchSection>(search, "decoder.search");
  TextSearchOptions options;
  options.beam = section.type == "beam";
  options.beam_width = section.beam_width;
  options.max_length = section.max_length;
  options.temperature = section.temperature;
  options.stop = section.stop;
  return options;
}

}  // namespace patchioner
