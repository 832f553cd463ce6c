// What each stage of a run depends on, as texts whose digests name its output: settings of this stage and
// those before it, contents of weights and data, and the code that computes it (design, "Sweeps").
#pragma once

#include <map>
#include <patchioner/aggregator.hpp>
#include <string>

#include "evaluation/evaluation.hpp"
#include "sweep/sweep_data.hpp"

namespace patchioner {

/// SHA-256 of the library (or program) that holds the core's own code.
const std::string& core_code_digest();

/// The texts of one run. Those that need the data set are empty when it could not be opened.
struct StageTexts {
  std::string encode;  ///< without the images, of which several data sets may share an encoding
  std::string
      vectors;  ///< of the regions' vectors: of the stage aggregate, or of encode where regions are encoded
  std::string bridge;
  std::string decode;
  std::string score;
  std::string backbone;  ///< names of plugins
  std::string aggregator;
  std::string gap;
  std::string decoder;
};

/// [one-thread]
class StageDigests {
 public:
  explicit StageDigests(PluginHost& host) : host_(host) {}

  /// `features` is SweepCacheOptions::features.
  StageTexts of(const Evaluation& evaluation, const SweepData& data, FeatureSource source,
                const std::string& features);

  /// The files that the section `score` names and that are not there, with their keys: METEOR's data, SPICE's
  /// program, the weights of the CLIP behind CLIP-S and PAC-S.
  std::vector<NamedFile> missing_of_scoring(const Evaluation& evaluation);

 private:
  std::string scoring_text(const Evaluation& evaluation);
  struct Model {
    std::string digest;
    std::vector<NamedFile> missing;
  };
  const Model& model(const std::string& key, const std::string& name);

  PluginHost& host_;
  const std::string& code_of(const std::filesystem::path& library);

  std::map<std::filesystem::path, std::string> codes_;
  std::map<std::string, Model> models_;  ///< of CLIP-S and PAC-S, by name
};

}  // namespace patchioner
