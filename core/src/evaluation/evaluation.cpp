#include "evaluation/evaluation.hpp"

#include <patchioner/error.hpp>

#include "config/sections.hpp"
#include "config/value_key.hpp"
#include "runtime/complete_config.hpp"

namespace patchioner {
namespace {

std::string section_key(const Value& document, const char* section) {
  const Value* value = document.find(section);
  return value == nullptr ? std::string() : key_of(*value);
}

/// What `made` holds under the key, or what `make` makes of it.
template <class Made, class Make>
const Made& remembered(std::map<std::string, Made>& made, const std::string& key, const Make& make) {
  const auto known = made.find(key);
  return known != made.end() ? known->second : made.emplace(key, make()).first->second;
}

}  // namespace

const EvaluationMaker::Plugin& EvaluationMaker::plugin(PluginKind kind, const std::string& path,
                                                       const Value& section) {
  std::string key = path + " ";
  append_key(section, key);
  return remembered(plugins_, key, [&] {
    Plugin made;
    made.complete = complete_plugin_section(section, kind, host_);
    made.settings = plugin_settings({kind, path, made.complete}, host_, digest_);
    return made;
  });
}

Evaluation EvaluationMaker::make(const Value& written) {
  Evaluation evaluation;
  Value config = written;
  std::vector<PluginSettings> plugins;
  for (const PluginSection& section : plugin_sections(written)) {
    const Plugin& made = plugin(section.kind, section.path, section.options);
    plugins.push_back(made.settings);
    Value* place = config.find(to_string(section.kind));
    if (place->is_list()) {
      place = &place->as_list()[std::stoul(section.path.substr(section.path.rfind('.') + 1))];
    }
    *place = made.complete;
  }
  const Runtime& runtime = remembered(runtimes_, section_key(written, "runtime"), [&] {
    return Runtime{complete_runtime_section(written), read_runtime_options(written)};
  });
  const Data& data = remembered(datasets_, section_key(written, "dataset"), [&] {
    return Data{complete_dataset_section(written), read_dataset_section(written)};
  });
  const Score& score = remembered(scores_, section_key(written, "score"), [&] {
    return Score{complete_score_section(written), read_scoring_options(written)};
  });
  const Evaluate& evaluate = remembered(evaluates_, section_key(written, "evaluate"), [&] {
    return Evaluate{complete_evaluate_section(written), read_evaluation_options(written)};
  });
  config.set("runtime", runtime.complete);
  config.set("dataset", data.complete);
  config.set("score", score.complete);
  config.set("evaluate", evaluate.complete);
  evaluation.config = in_section_order(config);
  if (evaluation.config.find("decoder") == nullptr) {
    throw Error(ErrorKind::config,
                "the config has no section 'decoder', so there is nothing to caption with");
  }
  evaluation.runtime = runtime.options;
  evaluation.settings = run_settings(std::move(plugins), runtime.options);
  evaluation.dataset = data.dataset;
  evaluation.scoring = score.options;
  evaluation.options = evaluate.options;
  return evaluation;
}

Evaluation make_evaluation(const Value& written, PluginHost& host) {
  return EvaluationMaker(host).make(written);
}

}  // namespace patchioner
