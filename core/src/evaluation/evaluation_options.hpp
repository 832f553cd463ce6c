// The section `evaluate` of a config.
#pragma once

#include <patchioner/parameters.hpp>
#include <patchioner/value.hpp>
#include <string>

namespace patchioner {

struct EvaluationOptions {
  std::string output = "runs/eval";    ///< each data set gets a folder in it
  int64_t limit = 0;                   ///< the first images only; 0: all
  std::string failures = "refuse";     ///< what has no caption, for whatever reason: "refuse" or "leave_out"
  std::string exif = "ignore";         ///< annotations are of the pixels as they are stored
  std::string confidence = "decoder";  ///< by which mAP orders captions; "one": all are equal
  int64_t examples = 12;               ///< best, worst and random items on the page, of each; 0: no page
  std::string examples_by = "auto";    ///< the metric that orders them
  int64_t seed = 42;                   ///< of the random ones
};

void declare(ParameterList<EvaluationOptions>& list);

/// The section `evaluate` of a resolved document with every option, defaults filled in and paths made
/// absolute. Throws an Error of kind config that says where.
Value complete_evaluate_section(const Value& config);

/// The same as options. Errors as complete_evaluate_section.
EvaluationOptions read_evaluation_options(const Value& config);

}  // namespace patchioner
