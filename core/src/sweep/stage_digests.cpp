#include "sweep/stage_digests.hpp"

#include <dlfcn.h>

#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "entities/shipped_lexicon.hpp"
#include "metrics/meteor_data.hpp"
#include "runtime/complete_config.hpp"
#include "runtime/runtime_options.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

// Counted up when what a stage writes changes its meaning or form though the core's code may not say so.
constexpr const char* kVersion = "stages 1";

// Options of the section `score` that name a file, a folder or a config.
constexpr const char* kFileKeys[] = {"meteor_data", "cider_df", "spice_tuples", "spice_jar", "clip", "pac"};

std::string digest_if_there(const std::filesystem::path& file) {
  std::error_code unreadable;
  return std::filesystem::is_regular_file(file, unreadable) ? " " + remembered_digest(file) : std::string();
}

/// Files that are read because they lie beside a named one: METEOR's paraphrases, a checkpoint's vocabulary.
std::string beside(const std::filesystem::path& file) {
  std::string digests;
  for (const char* name : {"paraphrase-en.gz", "data/paraphrase-en.gz", "vocab.json", "merges.txt",
                           "bpe_simple_vocab_16e6.txt.gz"}) {
    digests += digest_if_there(file.parent_path() / name);
  }
  return digests;
}

/// The data that metrics find by themselves: the lexicon of SPICE(rules), an installed WordNet.
const std::string& scoring_data_digest() {
  static const std::string digest = [] {
    std::string digests;
    try {
      digests += digest_if_there(shipped_lexicon());
    } catch (const Error&) {
      digests += " no lexicon";  // the metric that wants it says so
    }
    const MeteorDataOptions defaults;
    for (const char* name : {"index.noun", "index.verb", "index.adj", "index.adv"}) {
      digests += digest_if_there(defaults.wordnet / name);
    }
    return sha256(digests);
  }();
  return digest;
}

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
  texts.encode = fmt::format("{}\ncore {}\n{}device {}\nprecision {}\n", kVersion, core_code_digest(),
                             backbone, device_of(evaluation.runtime).str(), evaluation.runtime.precision);
  if (data.dataset == nullptr) {
    return texts;
  }
  const bool reads_grid = source == FeatureSource::patches || source == FeatureSource::global;
  texts.vectors = fmt::format("vectors of {}\n{}{}images {}\nregions {}\n", sha256(texts.encode),
                              reads_grid ? "features " + features + "\n" : "regions encoded\n", aggregator,
                              data.images_digest, data.regions);
  texts.bridge = fmt::format("bridge of {}\n{}", sha256(texts.vectors), gap);
  texts.decode = fmt::format("captions of {}\n{}", sha256(texts.bridge), decoder);
  texts.score = fmt::format(
      "scores of {}\nname {}\nreferences {}\nof {} images\nfailures {}\nconfidence {}\nexamples {} {} {}\n{}",
      sha256(texts.decode), evaluation.name(), data.references, data.all_images, evaluation.options.failures,
      evaluation.options.confidence, evaluation.options.examples, evaluation.options.examples_by,
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
  for (const char* key : kFileKeys) {
    Value* value = section.find(key);
    if (value != nullptr && value->is_text() && !value->as_text().empty()) {
      *value = Value(model(key, value->as_text()).digest);
    }
  }
  return write_json(section, 0) + "\ndata " + scoring_data_digest();
}

std::vector<NamedFile> StageDigests::missing_of_scoring(const Evaluation& evaluation) {
  std::vector<NamedFile> missing;
  for (const char* key : kFileKeys) {
    const Value* value = evaluation.config.at("score").find(key);
    if (value != nullptr && value->is_text() && !value->as_text().empty()) {
      const Model& found = model(key, value->as_text());
      missing.insert(missing.end(), found.missing.begin(), found.missing.end());
    }
  }
  return missing;
}

/// Of a file or folder its content; of a config what its plugins compute.
const StageDigests::Model& StageDigests::model(const std::string& key, const std::string& name) {
  const auto [known, is_new] = models_.try_emplace(key + " " + name);
  Model& model = known->second;
  if (!is_new) {
    return model;
  }
  const std::string where = "score." + key;
  model.digest = "absent";
  try {
    const std::filesystem::path file = find_config_file(name);
    if (file.extension() == ".yaml" && std::filesystem::exists(file)) {
      const RunSettings settings =
          run_settings(complete_config(compose(file), host_, MissingPlugin::keep), host_);
      model.digest = settings.digest;
      for (const PluginSettings& plugin : settings.plugins) {
        if (plugin.kind == PluginKind::backbone) {
          model.digest = sha256(plugin.text + code_of(plugin.library));
        }
      }
      for (const NamedFile& one : settings.files) {
        // Only the backbone of such a config is loaded.
        if (one.digest == "absent" && one.key.starts_with("backbone.")) {
          model.missing.push_back({where + ": " + one.key, one.path, one.digest});
        }
      }
    } else {
      model.digest = remembered_digest(name) + beside(name);
    }
  } catch (const std::exception&) {
    model.missing.push_back({where, name, model.digest});
  }
  return model;
}

}  // namespace patchioner
