// What is evaluated: a resolved config with its data set, taken apart.
#pragma once

#include <patchioner/value.hpp>
#include <string>

#include "evaluation/dataset_section.hpp"
#include "evaluation/evaluation_options.hpp"
#include "image/image.hpp"
#include "runtime/plugin_host.hpp"
#include "runtime/run_digest.hpp"
#include "scoring/scoring_options.hpp"

namespace patchioner {

struct Evaluation {
  Value config;          ///< complete: plugins, dataset, score, evaluate
  RunSettings settings;  ///< of the plugins
  NamedDataset dataset;
  ScoringOptions scoring;
  EvaluationOptions options;

  const std::string& name() const { return dataset.name; }
  bool leaves_out() const { return options.failures == "leave_out"; }
  ExifOrientation orientation() const {
    return options.exif == "apply" ? ExifOrientation::apply : ExifOrientation::ignore;
  }
};

/// `written` is a resolved document (compose). Completes it and reads its sections, so that what is wrong
/// with them is known before any weight is read. Throws Error.
Evaluation make_evaluation(const Value& written, PluginHost& host);

}  // namespace patchioner
