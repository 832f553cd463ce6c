// The decoder `clipcap` (spec/04 section 10): a GPT-2 behind a soft prompt alone, the network of ClipCap and
// of the noise-trained CapDec.
#include <c10/core/GradMode.h>

#include <patchioner/decoder.hpp>
#include <patchioner/error.hpp>
#include <patchioner/plugin.hpp>

#include "decoding/finite_rows.hpp"
#include "decoding/nested_section.hpp"
#include "decoding/prompted_model.hpp"
#include "nn/unit_length.hpp"

namespace patchioner {
namespace {

/// What CapDec does; ViECap's are others.
constexpr int64_t kUsualLength = 67;
constexpr const char* kUsualStop = ".";

/// The section `training`.
struct ClipcapTrainingSection : PromptedTraining {};

void declare(ParameterList<ClipcapTrainingSection>& list) {
  declare_prompted_training(list);
}

struct ClipcapOptions {
  std::string weights;
  std::string language_model;
  Value fresh;
  Value training;
  Value tokenizer;
  Value heads;
  Value search;
  std::string score = "log_probability";
  bool normalize_prefix = true;
  bool clean_up_tokenization_spaces = false;
};

void declare(ParameterList<ClipcapOptions>& list) {
  using O = ClipcapOptions;
  list.add("weights", &O::weights, "checkpoint of ClipCap or CapDec (.pt), or safetensors of its names")
      .path();
  declare_start(list, &O::language_model, &O::fresh);
  list.add("training", &O::training, "{frozen_gpt: false, dropout: 0.1}");
  list.add("tokenizer", &O::tokenizer, "GPT-2's files: {merges: merges.txt, vocabulary: vocab.json}");
  list.add("heads", &O::heads, "attention heads, 8 and 12 as published: {mapping: 8, language_model: 12}");
  list.add(
      "search", &O::search,
      "{type: greedy, beam or nucleus, beam_width: 5, max_length: 67, temperature: 1, top_p: 0.8, seed: 0, "
      "n_best: 1, stop: [\".\"]}");
  list.add("score", &O::score,
           "of a caption: mean log-probability of its tokens, or perplexity without the prompt (lower is "
           "better)")
      .choices({"log_probability", "perplexity"});
  list.add("normalize_prefix", &O::normalize_prefix,
           "divide each feature by its length, as CapDec does; false reads it as it is");
  list.add("clean_up_tokenization_spaces", &O::clean_up_tokenization_spaces,
           "no space before punctuation and contractions");
  list.note("files", "a ClipCap or CapDec checkpoint, and GPT-2's merges.txt");
  list.note("source", "rmokady/CLIP_prefix_caption; DavidHuji/CapDec");
}

PromptedOptions prompted(const ClipcapOptions& options) {
  PromptedOptions result;
  result.weights = options.weights;
  result.language_model = options.language_model;
  result.fresh = options.fresh;
  result.tokenizer = options.tokenizer;
  result.heads = options.heads;
  result.search = options.search;
  if (result.search.is_null() || result.search.type() == Value::Type::map) {
    if (result.search.find("max_length") == nullptr) {
      result.search.set("max_length", kUsualLength);
    }
    if (result.search.find("stop") == nullptr) {
      result.search.set("stop", Value(Value::List{Value(kUsualStop)}));
    }
  }
  result.layout = "no_hard";
  result.score = options.score;
  result.clean_up_tokenization_spaces = options.clean_up_tokenization_spaces;
  return result;
}

class ClipcapDecoder final : public Decoder {
 public:
  ClipcapDecoder(const ClipcapOptions& options, const PluginContext& context)
      : model_(prompted(options), PromptedKind::clipcap,
               read_section<ClipcapTrainingSection>(options.training, "decoder.training"), context),
        normalize_(options.normalize_prefix) {}

  int64_t dim() const override { return model_.dim(); }
  std::string text_fingerprint() const override { return model_.text_fingerprint(); }

  std::vector<Caption> decode(const DecodeInput& input) const override {
    const c10::NoGradGuard no_gradients;
    return decode_finite_rows(
        input.features, dim(), "clipcap", [&](const at::Tensor& features, const at::Tensor&) {
          return model_.captions(normalize_ ? unit_rows(features) : features, {}, input.explain);
        });
  }

  bool trainable() const override { return true; }
  at::Tensor training_ids(std::span<const std::string> captions,
                          std::vector<size_t>& dropped) const override {
    return model_.training_ids(captions, dropped, /*room=*/0);
  }
  Loss loss(const TrainingBatch& batch, RandomSource&, bool training) const override {
    return model_.loss(batch, {}, /*room=*/0, training);
  }
  std::vector<std::pair<std::string, at::Tensor>> parameters() const override { return model_.parameters(); }
  void save(const std::string& path, const std::string& text_fingerprint) const override {
    model_.save(path, text_fingerprint);
  }

 private:
  PromptedModel model_;
  bool normalize_;
};

}  // namespace

PATCHIONER_PLUGIN(decoder, clipcap, "1.0", "ClipCap and CapDec: a GPT-2 behind a soft prompt", ClipcapDecoder,
                  ClipcapOptions)

}  // namespace patchioner
