#include "evaluation/evaluation.hpp"

#include <patchioner/error.hpp>

#include "runtime/complete_config.hpp"

namespace patchioner {

Evaluation make_evaluation(const Value& written, PluginHost& host) {
  Evaluation evaluation;
  evaluation.config = complete_config(written, host);
  evaluation.config.set("dataset", complete_dataset_section(written));
  evaluation.config.set("score", complete_score_section(written));
  evaluation.config.set("evaluate", complete_evaluate_section(written));
  if (evaluation.config.find("decoder") == nullptr) {
    throw Error(ErrorKind::config,
                "the config has no section 'decoder', so there is nothing to caption with");
  }
  evaluation.settings = run_settings(evaluation.config, host, "");
  evaluation.dataset = read_dataset_section(evaluation.config);
  evaluation.scoring = read_scoring_options(evaluation.config);
  evaluation.options = read_evaluation_options(evaluation.config);
  return evaluation;
}

}  // namespace patchioner
