#include "sweep/stage_digests.hpp"

#include <dlfcn.h>

#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "runtime/complete_config.hpp"
#include "runtime/runtime_options.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

// Counted up when what a stage writes changes its meaning or form though the core's code may not say so.
constexpr const char* kVersion = "stages 1";

}  // namespace

const std::string& core_code_digest() {
  static const std::string digest = [] {
    Dl_info found{};
    if (::dladdr(reinterpret_cast<const void*>(&core_code_digest), &found) == 0 ||
        found.dli_fname == nullptr) {
      throw Error(ErrorKind::internal, "the file of the core's own code cannot be found");
    }
    return sha256_of_file(found.dli_fname);
  }();
  return digest;
}

StageTexts StageDigests::of(const Evaluation& evaluation, const SweepData& data, FeatureSource source,
                            const std::string& features) {
  StageTexts texts;
  std::string backbone;
  std::string aggregator;
  std::string gap;
  std::string decoder;
  for (const PluginSettings& plugin : evaluation.settings.plugins) {
    const std::string text = plugin.text + "\ncode " + code_of(plugin.library) + "\n";
    switch (plugin.kind) {
      case PluginKind::backbone:
        backbone = text;
        texts.backbone = plugin.name;
        break;
      case PluginKind::aggregator:
        aggregator = text;
        texts.aggregator = plugin.name;
        break;
      case PluginKind::gap:
        gap += text;
        texts.gap += (texts.gap.empty() ? "" : "+") + plugin.name;
        break;
      case PluginKind::decoder:
        decoder = text;
        texts.decoder = plugin.name;
        break;
    }
  }
  texts.encode =
      fmt::format("{}\ncore {}\n{}device {}\nprecision {}\n", kVersion, core_code_digest(), backbone,
                  c10::str(plugin_context(evaluation.runtime).device), evaluation.runtime.precision);
  if (data.dataset == nullptr) {
    return texts;
  }
  const bool reads_grid = source == FeatureSource::patches || source == FeatureSource::global;
  texts.vectors = fmt::format("vectors of {}\n{}{}images {}\nregions {}\n", sha256(texts.encode),
                              reads_grid ? "features " + features + "\n" : "regions encoded\n", aggregator,
                              data.images_digest, data.regions);
  texts.bridge = fmt::format("bridge of {}\n{}", sha256(texts.vectors), gap);
  texts.decode = fmt::format("captions of {}\n{}", sha256(texts.bridge), decoder);
  texts.score =
      fmt::format("scores of {}\nname {}\nreferences {}\nof {} images\nfailures {}\nexamples {} {} {}\n{}",
                  sha256(texts.decode), evaluation.name(), data.references, data.all_images,
                  evaluation.options.failures, evaluation.options.examples, evaluation.options.examples_by,
                  evaluation.options.seed, scoring_text(evaluation));
  return texts;
}

const std::string& StageDigests::code_of(const std::filesystem::path& library) {
  std::string& digest = codes_[library];
  if (digest.empty()) {
    digest = remembered_digest(library);
  }
  return digest;
}

/// The section `score`, contents in the place of paths.
std::string StageDigests::scoring_text(const Evaluation& evaluation) {
  Value section = evaluation.config.at("score");
  for (const char* key : {"meteor_data", "cider_df", "spice_tuples", "spice_jar", "clip", "pac"}) {
    Value* value = section.find(key);
    if (value != nullptr && value->is_text() && !value->as_text().empty()) {
      *value = Value(model_digest(value->as_text()));
    }
  }
  return write_json(section, 0);
}

/// Of a file its content's; of a config what it captions by.
std::string StageDigests::model_digest(const std::string& name) {
  std::string& digest = models_[name];
  if (!digest.empty()) {
    return digest;
  }
  try {
    const std::filesystem::path file = find_config_file(name);
    digest = file.extension() == ".yaml"
                 ? run_settings(complete_config(compose(file), host_, MissingPlugin::keep), host_).digest
                 : remembered_digest(name);
  } catch (const std::exception&) {
    digest = "absent";  // checking the metrics says why
  }
  return digest;
}

}  // namespace patchioner
