#include "scoring/metric_options.hpp"

namespace patchioner {

CaptionScoreOptions caption_options(const ScoringOptions& options, bool is_dense) {
  CaptionScoreOptions result;
  result.tokenizer = options.tokenizer == "ptb" ? ScoreTokenizer::ptb : ScoreTokenizer::whitespace;
  result.sanitize_line_breaks = options.sanitize_line_breaks;
  result.cider = options.cider == "plain" ? CiderForm::plain : CiderForm::d;
  result.cider_df = options.cider_df;
  result.meteor.data = options.meteor_data;
  result.meteor.fallback = options.meteor_fallback == "none" ? MeteorFallback::none : MeteorFallback::wordnet;
  result.meteor_input = is_dense ? MeteorInput::raw : MeteorInput::words;
  return result;
}

SpiceOptions spice_options(const ScoringOptions& options) {
  SpiceOptions result;
  result.backend = spice_backend_from(options.spice);
  result.tuples = options.spice_tuples;
  result.jar = options.spice_jar;
  result.synonyms = caption_options(options, false).meteor;
  return result;
}

}  // namespace patchioner
