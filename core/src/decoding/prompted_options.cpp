#include "decoding/prompted_options.hpp"

#include <algorithm>
#include <patchioner/error.hpp>

#include "decoding/nested_section.hpp"

namespace patchioner {

namespace {

// The published models' (spec/04 section 3).
constexpr int64_t kMappingHeads = 8;
constexpr int64_t kLanguageModelHeads = 12;

/// The first that is given.
int64_t heads_of(int64_t said, int64_t noted, int64_t published) {
  return said > 0 ? said : noted > 0 ? noted : published;
}

/// Refuses a search that does not find as many texts as are wanted.
void require_texts(const SearchSection& section, const Value& search) {
  const int64_t most = section.type == "greedy" ? 1
                       : section.type == "beam" ? section.beam_width
                                                : section.n_best;
  if (section.n_best <= most) {
    return;
  }
  const Value* wanted = search.find("n_best");
  const std::string place = (wanted != nullptr ? *wanted : search).origin().to_string();
  if (section.type == "greedy") {
    throw Error(ErrorKind::config,
                "{}: 'decoder.search.n_best' is {}, but greedy search finds one text; set it to 1, or 'type' "
                "to beam or nucleus",
                place, section.n_best);
  }
  throw Error(ErrorKind::config,
              "{}: 'decoder.search.n_best' is {}, but a beam search of the width {} finds {} texts; raise "
              "'beam_width', or lower 'n_best'",
              place, section.n_best, most, most);
}

}  // namespace

PromptedGpt2Files PromptedOptions::files(PromptedKind kind) const {
  const auto tokenizer_files = read_section<TokenizerSection>(tokenizer, "decoder.tokenizer");
  const auto head_counts = read_section<HeadsSection>(heads, "decoder.heads");
  PromptedGpt2Files result;
  result.kind = kind;
  result.weights = weights;
  result.merges = tokenizer_files.merges;
  result.vocabulary = tokenizer_files.vocabulary;
  const PromptedNotes notes = weights.empty() ? PromptedNotes() : read_prompted_notes(weights);
  result.mapping_heads = heads_of(head_counts.mapping, notes.mapping_heads, kMappingHeads);
  result.language_model_heads =
      heads_of(head_counts.language_model, notes.language_model_heads, kLanguageModelHeads);
  result.text_fingerprint = notes.text_fingerprint;
  return result;
}

TextSearchOptions PromptedOptions::search_options() const {
  const auto section = read_section<SearchSection>(search, "decoder.search");
  require_texts(section, search);
  TextSearchOptions options;
  options.type = section.type == "beam"      ? TextSearch::beam
                 : section.type == "nucleus" ? TextSearch::nucleus
                                             : TextSearch::greedy;
  options.beam_width = section.beam_width;
  options.max_length = section.max_length;
  options.temperature = section.temperature;
  options.top_p = section.top_p;
  options.seed = section.seed;
  options.n_best = section.n_best;
  options.stop = section.stop;
  if (std::find(options.stop.begin(), options.stop.end(), "") != options.stop.end()) {
    throw Error(ErrorKind::config, "{}: decoder.search.stop holds an empty text, which no caption ends with",
                search.origin().to_string());
  }
  return options;
}

}  // namespace patchioner
