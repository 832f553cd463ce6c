#include "scoring/scoring_options.hpp"

#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "config/paths.hpp"
#include "scoring/metric_choice.hpp"

namespace patchioner {

void declare(ParameterList<ScoringOptions>& list) {
  using O = ScoringOptions;
  list.add(
      "metrics", &O::metrics,
      "Bleu_1 to Bleu_4, METEOR, ROUGE_L, CIDEr, SPICE; map, detmap of dense captions; CLIP-S, "
      "RefCLIP-S, PAC-S, RefPAC-S, of dense captions also CLIP-S_cropped, PAC-S_cropped; empty: those of "
      "the task");
  list.add("tokenizer", &O::tokenizer,
           "ptb: as all published numbers; whitespace: captions are words already")
      .choices({"ptb", "whitespace"});
  list.add("sanitize_line_breaks", &O::sanitize_line_breaks,
           "line ends inside captions are spaces; otherwise some move all captions behind them, as in the "
           "reference tools");
  list.add("cider", &O::cider, "D: what coco-caption calls CIDEr; plain: the cosine alone")
      .choices({"D", "plain"});
  list.add("cider_df", &O::cider_df,
           "document frequencies {\"num_docs\", \"df\"}; empty: those of the references")
      .path();
  list.add("meteor_data", &O::meteor_data,
           "METEOR's data: a folder, or meteor-1.5.jar with paraphrase-en.gz beside it; empty: "
           "meteor_fallback counts")
      .path();
  list.add("meteor_fallback", &O::meteor_fallback,
           "without METEOR's data: wordnet: an installed WordNet, under another name; none: an error")
      .choices({"wordnet", "none"});
  list.add("spice", &O::spice,
           "scene graphs from rules: the parser that ships, called SPICE(rules); tuples: spice_tuples; java: "
           "the original program")
      .choices({"rules", "tuples", "java"});
  list.add("spice_tuples", &O::spice_tuples, "scene graphs of all captions, JSON, for spice: tuples").path();
  list.add("spice_jar", &O::spice_jar, "spice-1.0.jar with its lib folder beside it, for spice: java").path();
  list.add("dense_variant", &O::dense_variant,
           "of map and detmap; python: as the paper evaluates; lua: DenseCap's own evaluator")
      .choices({"python", "lua"});
  list.add("count_empty_images", &O::count_empty_images,
           "boxes of images without predictions are missed, unlike in the reference");
  list.add("clip", &O::clip,
           "of CLIP-S and RefCLIP-S: a config whose backbone is a CLIP, or a CLIP's checkpoint; published: "
           "ViT-B/32");
  list.add("pac", &O::pac,
           "of PAC-S and RefPAC-S: PAC-S's checkpoint (clip_ViT-B-32.pth), or a config with it");
  list.add("refpac", &O::refpac,
           "reference: RefPAC-S as the paper reports it, texts alone; original: PAC-S's own formula")
      .choices({"reference", "original"});
}

namespace {

/// `clip` and `pac`: a file, or the name of one of the program's configs, which stays as it is.
std::string model_path(const Value& value) {
  if (const auto file = existing_path(value)) {
    return *file;
  }
  return is_config_name(value.as_text()) ? value.as_text() : resolve_path(value);
}

}  // namespace

Value complete_score_section(const Value& config) {
  Value complete = complete_section(config, schema_of<ScoringOptions>(), "score");
  for (const char* model : {"clip", "pac"}) {
    Value* value = complete.find(model);
    const Origin origin = value->origin();
    *value = Value(model_path(*value)).set_origin(origin);
  }
  return complete;
}

ScoringOptions read_scoring_options(const Value& config) {
  ParameterList<ScoringOptions> list;
  declare(list);
  const Value section = complete_score_section(config);
  ScoringOptions options = list.read(section);
  try {
    check_metric_names(options.metrics);
  } catch (const Error& error) {
    throw error.within(section.at("metrics").origin().to_string() + ": score.metrics");
  }
  return options;
}

}  // namespace patchioner
