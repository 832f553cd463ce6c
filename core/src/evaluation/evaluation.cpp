#include "evaluation/evaluation.hpp"

#include <patchioner/error.hpp>

#include "config/scalar.hpp"
#include "config/sections.hpp"
#include "runtime/complete_config.hpp"

namespace patchioner {
namespace {

/// Everything of a value that decides what it is completed to: its content, and of texts the file that
/// relative paths start from.
void add_key(const Value& value, std::string& key) {
  switch (value.type()) {
    case Value::Type::null:
      key += 'n';
      break;
    case Value::Type::boolean:
      key += value.as_boolean() ? 't' : 'f';
      break;
    case Value::Type::integer:
      key += 'i' + std::to_string(value.as_integer());
      break;
    case Value::Type::number:
      key += 'd' + format_number(value.as_number());
      break;
    case Value::Type::text:
      key += fmt::format("s{}:{}<{}", value.as_text().size(), value.as_text(), value.origin().file);
      break;
    case Value::Type::list:
      key += '[';
      for (const Value& entry : value.as_list()) {
        add_key(entry, key);
      }
      key += ']';
      break;
    case Value::Type::map:
      key += '{';
      for (const auto& [name, entry] : value.as_map()) {
        key += fmt::format("{}:{}=", name.size(), name);
        add_key(entry, key);
      }
      key += '}';
      break;
  }
  key += '\n';
}

std::string key_of(const Value& document, const char* section) {
  std::string key;
  if (const Value* value = document.find(section)) {
    add_key(*value, key);
  }
  return key;
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
  add_key(section, key);
  return remembered(plugins_, key, [&] {
    Plugin made;
    made.complete = complete_plugin_section(section, kind, host_);
    made.settings = plugin_settings({kind, path, made.complete}, host_);
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
  const Runtime& runtime = remembered(runtimes_, key_of(written, "runtime"), [&] {
    return Runtime{complete_runtime_section(written), read_runtime_options(written)};
  });
  const Data& data = remembered(datasets_, key_of(written, "dataset"), [&] {
    return Data{complete_dataset_section(written), read_dataset_section(written)};
  });
  const Score& score = remembered(scores_, key_of(written, "score"), [&] {
    return Score{complete_score_section(written), read_scoring_options(written)};
  });
  const Evaluate& evaluate = remembered(evaluates_, key_of(written, "evaluate"), [&] {
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
