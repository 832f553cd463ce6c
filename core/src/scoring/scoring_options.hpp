// The section `score` of a config, and the options of `patchioner score`: which metrics, and what decides
// their values (spec/05 sections 0 and 10).
#pragma once

#include <patchioner/parameters.hpp>
#include <patchioner/value.hpp>
#include <string>
#include <vector>

namespace patchioner {

/// Defaults give the numbers that papers print.
struct ScoringOptions {
  std::vector<std::string> metrics;  ///< empty: those of the task (default_metrics)
  std::string tokenizer = "ptb";
  bool sanitize_line_breaks = false;
  std::string cider = "D";
  std::string cider_df;     ///< a file; empty: the references' own frequencies
  std::string meteor_data;  ///< METEOR's jar or folder; empty: `meteor_fallback` counts
  std::string meteor_fallback = "wordnet";
  std::string spice = "rules";
  std::string spice_tuples;  ///< a file, for "tuples"
  std::string spice_jar;     ///< spice-1.0.jar, for "java"
  std::string dense_variant = "python";
  bool count_empty_images = false;
  std::string clip;  ///< a config, or a checkpoint; empty: no CLIP-S
  std::string pac;   ///< the same for PAC-S
  std::string refpac = "reference";
};

void declare(ParameterList<ScoringOptions>& list);

/// The section `score` of a resolved document with every option, defaults filled in and paths made absolute.
/// Throws an Error of kind config that says where.
Value complete_score_section(const Value& config);

/// The same as options. Errors as complete_score_section.
ScoringOptions read_scoring_options(const Value& config);

}  // namespace patchioner
