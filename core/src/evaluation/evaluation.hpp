// What is evaluated: a resolved config with its data set, taken apart.
#pragma once

#include <map>
#include <patchioner/value.hpp>
#include <string>

#include "evaluation/dataset_section.hpp"
#include "evaluation/evaluation_options.hpp"
#include "image/image.hpp"
#include "runtime/plugin_host.hpp"
#include "runtime/run_digest.hpp"
#include "runtime/runtime_options.hpp"
#include "scoring/scoring_options.hpp"

namespace patchioner {

struct Evaluation {
  Value config;          ///< complete: plugins, dataset, score, evaluate
  RunSettings settings;  ///< of the plugins
  RuntimeOptions runtime;
  NamedDataset dataset;
  ScoringOptions scoring;
  EvaluationOptions options;

  const std::string& name() const { return dataset.name; }
  bool leaves_out() const { return options.failures == "leave_out"; }
  ExifOrientation orientation() const {
    return options.exif == "apply" ? ExifOrientation::apply : ExifOrientation::ignore;
  }
};

/// Makes evaluations, thousands of them from the same few sections: a section that was completed once is not
/// completed again, and files that it names are looked at once. [one-thread]
class EvaluationMaker {
 public:
  /// `digest`: what tells the files of plugins apart.
  explicit EvaluationMaker(PluginHost& host, FileDigest digest = remembered_digest)
      : host_(host), digest_(std::move(digest)) {}

  /// `written` is a resolved document (compose). Completes it and reads its sections, so that what is wrong
  /// with them is known before any weight is read. Throws Error.
  Evaluation make(const Value& written);

 private:
  struct Plugin {
    Value complete;
    PluginSettings settings;
  };
  struct Runtime {
    Value complete;
    RuntimeOptions options;
  };
  struct Data {
    Value complete;
    NamedDataset dataset;
  };
  struct Score {
    Value complete;
    ScoringOptions options;
  };
  struct Evaluate {
    Value complete;
    EvaluationOptions options;
  };
  const Plugin& plugin(PluginKind kind, const std::string& path, const Value& section);

  PluginHost& host_;
  FileDigest digest_;
  std::map<std::string, Plugin> plugins_;
  std::map<std::string, Runtime> runtimes_;
  std::map<std::string, Data> datasets_;
  std::map<std::string, Score> scores_;
  std::map<std::string, Evaluate> evaluates_;
};

/// EvaluationMaker for one.
Evaluation make_evaluation(const Value& written, PluginHost& host);

}  // namespace patchioner
