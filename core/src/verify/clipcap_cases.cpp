// Golden cases of the decoders that speak after a soft prompt alone: ClipCap and CapDec.
#include <c10/core/InferenceMode.h>

#include "decoding/prompted_gpt2.hpp"
#include "nn/gpt2_training.hpp"
#include "nn/unit_length.hpp"
#include "verify/given_numbers.hpp"
#include "verify/kinds.hpp"
#include "verify/prompted_case_files.hpp"

namespace patchioner {
namespace {

constexpr int64_t kBeamWidth = 5;  // the captions of a case are called beam5

/// The decoder `clipcap` of a case, through the host.
std::shared_ptr<Decoder> decoder_of(const GoldenCase& golden, CaseHost& host, const std::string& weights,
                                    const std::string& search) {
  const nlohmann::json& dims = golden.json().at("dims");
  Value section(
      Value::Map{{"plugin", "clipcap"},
                 {"weights", golden.file(weights).string()},
                 {"tokenizer", case_tokenizer(golden)},
                 {"heads", Value::Map{{"mapping", dims.at("mapping_heads").get<int64_t>()},
                                      {"language_model", dims.at("gpt_heads").get<int64_t>()}}},
                 {"search", Value::Map{{"type", search},
                                       {"beam_width", kBeamWidth},
                                       {"max_length", golden.json().at("max_len").get<int64_t>()}}}});
  return host.decoder(section);
}

void compare_captions(const std::string& name, const nlohmann::json& rows, const std::string& weights,
                      const GoldenCase& golden, CaseReport& report, CaseHost& host, const PromptedGpt2& model,
                      const PromptBatch& prompts) {
  TextSearchOptions options;
  options.type = TextSearch::beam;
  options.beam_width = kBeamWidth;
  options.max_length = golden.json().at("max_len").get<int64_t>();
  options.stop = {"."};
  const auto found = model.search(prompts, options);
  DecodeInput input;
  input.features = golden.tensor("features");
  input.region_features = input.features;
  const std::vector<Caption> beam = decoder_of(golden, host, weights, "beam")->decode(input);
  const std::vector<Caption> greedy = decoder_of(golden, host, weights, "greedy")->decode(input);
  report.require(name + "/rows", rows.size() == found.size());
  for (size_t row = 0; row < std::min(rows.size(), found.size()); ++row) {
    const std::string place = fmt::format("{}[{}]", name, row);
    const auto wanted = rows[row].at("beam5").get<std::vector<std::string>>();
    report.require(place + ".beam5", wanted.size() == found[row].size());
    for (size_t i = 0; i < std::min(wanted.size(), found[row].size()); ++i) {
      report.compare_text(fmt::format("{}.beam5[{}]", place, i), model.tokenizer().decode(found[row][i].ids),
                          wanted[i]);
    }
    report.compare_text(place + ".beam", beam[row].raw_text, wanted.at(0));
    report.compare_text(place + ".greedy", greedy[row].raw_text, rows[row].at("greedy").get<std::string>());
  }
}

/// The training loss: the caption's ids behind the soft prompt, zeros not counted.
void compare_loss(const std::string& name, const std::string& weights, const GoldenCase& golden,
                  CaseReport& report, const PromptedGpt2& model, at::Device device) {
  const StateDict state_dict = StateDict::open(golden.file(weights));
  TensorLoader loader(state_dict, "ClipCap decoder");
  loader.ignore_prefix("clip_project.");
  Gpt2Weights language_model = load_gpt2(loader, "gpt.", model.model().config());
  loader.finish();
  language_model.move_to(device);
  const at::Tensor soft = model.soft_prompt().forward(golden.tensor("train_prefix").to(device));  // [N,P,E]
  const at::Tensor ids = golden.tensor("train_tokens").to(device);                                // [N,T]
  const at::Tensor embeddings = at::cat({soft, model.model().embed(ids)}, 1);                     // [N,P+T,E]
  const at::Tensor hidden = gpt2_forward(language_model, embeddings, /*training=*/false);
  const TokenLoss loss = token_loss(
      language_model, hidden.narrow(1, soft.size(1) - 1, ids.size(1)).contiguous(), ids, /*smoothing=*/0.0);
  report.compare(name + "/loss", loss.value.reshape({1}));
}

}  // namespace

void verify_capdec(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const c10::InferenceMode no_gradients;
  const nlohmann::json& json = golden.json();
  // The mask hides padding that stands behind every token that counts, where causal attention does not look.
  for (const char* input : {"features", "noise", "train_features", "train_tokens", "train_mask"}) {
    report.used_as_input(input);
  }
  Value noise(Value::Map{{"plugin", "noise"}, {"variance", 0.016}});
  GivenNumbers numbers(golden.tensor("noise"));
  report.compare("train_prefix", host.gap(noise)->perturb(golden.tensor("train_features"), numbers));
  for (const auto& [name, rows] : json.at("results").items()) {
    const std::string weights = fmt::format("capdec_{}.pt", name);
    PromptedGpt2Files files;
    files.kind = PromptedKind::clipcap;
    files.weights = golden.file(weights);
    files.merges = golden.file(kCaseMerges);
    files.vocabulary = golden.file(kCaseVocabulary);
    files.mapping_heads = json.at("dims").at("mapping_heads").get<int64_t>();
    files.language_model_heads = json.at("dims").at("gpt_heads").get<int64_t>();
    const PromptedGpt2 model(files, host.context());
    const PromptBatch prompts =
        model.prompts(unit_rows(golden.tensor("features")), {}, PromptLayout::no_hard);
    Gpt2Cache cache(model.model(), prompts.rows(), prompts.length());
    const at::Tensor next =
        model.model().logits(model.model().run(prompts.embeddings, cache).select(1, -1));  // [R,V]
    for (int64_t row = 0; row < prompts.rows(); ++row) {
      report.compare(fmt::format("{}/prefix_embeddings_{}", name, row), prompts.embeddings[row]);
      if (const std::string logits = fmt::format("{}/next_logits_{}", name, row); golden.has(logits)) {
        report.compare(logits, next[row]);
      }
    }
    compare_captions(name, rows, weights, golden, report, host, model, prompts);
    compare_loss(name, weights, golden, report, model, host.context().device);
  }
}

}  // namespace patchioner
