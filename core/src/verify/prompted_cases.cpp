// Golden cases of the decoders that speak after soft and hard prompts: from features to captions, with
// everything between.
#include <c10/core/InferenceMode.h>

#include <patchioner/error.hpp>

#include "decoding/prompted_gpt2.hpp"
#include "entities/entity_embeddings.hpp"
#include "entities/entity_names.hpp"
#include "entities/entity_retrieval.hpp"
#include "nn/unit_length.hpp"
#include "verify/kinds.hpp"
#include "verify/prompted_case_files.hpp"

namespace patchioner {
namespace {

constexpr const char* kEmbeddings = "entity_embeddings.safetensors";

/// The files of a case that have no fixed name: the checkpoint, and the list of entities.
struct ViecapFiles {
  std::filesystem::path weights;
  std::filesystem::path names;
};

ViecapFiles files_of(const GoldenCase& golden) {
  ViecapFiles files;
  for (const auto& [name, meaning] : golden.json().at("files").items()) {
    if (name == kCaseMerges || name == kCaseVocabulary || name == kEmbeddings) {
      continue;
    }
    (name.ends_with(".json") || name.ends_with(".txt") ? files.names : files.weights) = golden.file(name);
  }
  return files;
}

TextSearchOptions search_of(const nlohmann::json& config) {
  TextSearchOptions options;
  options.type = config.at("search").get<std::string>() == "beam" ? TextSearch::beam : TextSearch::greedy;
  options.beam_width = config.value("beam_width", options.beam_width);
  options.max_length = config.value("max_len", options.max_length);
  options.temperature = config.value("temperature_lm", options.temperature);
  return options;
}

EntityRetrievalOptions retrieval_of(const nlohmann::json& config) {
  EntityRetrievalOptions options;
  options.temperature = config.at("temperature").get<double>();
  options.top_k = config.at("top_k").get<int64_t>();
  options.threshold = config.at("threshold").get<double>();
  return options;
}

/// The decoder `viecap` of a run, through the host.
std::shared_ptr<Decoder> decoder_of(const GoldenCase& golden, CaseHost& host, const nlohmann::json& config) {
  const ViecapFiles files = files_of(golden);
  const TextSearchOptions search = search_of(config);
  const EntityRetrievalOptions retrieval = retrieval_of(config);
  const nlohmann::json& dims = golden.json().at("dims");
  Value section(
      Value::Map{{"plugin", "viecap"},
                 {"weights", files.weights.string()},
                 {"tokenizer", case_tokenizer(golden)},
                 {"heads", Value::Map{{"mapping", dims.at("mapping_heads").get<int64_t>()},
                                      {"language_model", dims.at("gpt_heads").get<int64_t>()}}},
                 {"layout", case_layout(config)},
                 {"search", Value::Map{{"type", search.type == TextSearch::beam ? "beam" : "greedy"},
                                       {"beam_width", search.beam_width},
                                       {"max_length", search.max_length},
                                       {"temperature", search.temperature}}},
                 {"entities", Value::Map{{"names", files.names.string()},
                                         {"embeddings", golden.file(kEmbeddings).string()},
                                         {"temperature", retrieval.temperature},
                                         {"top_k", retrieval.top_k},
                                         {"threshold", retrieval.threshold}}},
                 {"reference_batch_padding", config.value("reference_batch_padding", false)}});
  return host.decoder(section);
}

/// Matches of all rows as two tensors [R,k].
struct MatchTensors {
  at::Tensor probabilities;
  at::Tensor index;
};

MatchTensors tensors_of(const std::vector<std::vector<EntityMatch>>& matches) {
  std::vector<at::Tensor> probabilities, index;
  for (const std::vector<EntityMatch>& row : matches) {
    std::vector<float> values;
    std::vector<int64_t> places;
    for (const EntityMatch& match : row) {
      values.push_back(match.probability);
      places.push_back(match.index);
    }
    probabilities.push_back(at::tensor(values, at::kFloat));
    index.push_back(at::tensor(places, at::kLong));
  }
  return {at::stack(probabilities), at::stack(index)};
}

/// Hard prompts that the entities of a run give.
std::vector<std::string> hard_prompts_of(const EntityRetriever& retriever, const at::Tensor& features,
                                         const EntityRetrievalOptions& options) {
  std::vector<std::string> prompts;
  for (const auto& matches : retriever.retrieve(features, options)) {
    prompts.push_back(hard_prompt(retriever.names_of(matches)));
  }
  return prompts;
}

void compare_entities(const std::string& name, CaseReport& report, const EntityRetriever& retriever,
                      const at::Tensor& features, const EntityRetrievalOptions& options,
                      const nlohmann::json& expected) {
  const auto matches = retriever.retrieve(features, options);
  report.require(name + "rows", matches.size() == expected.size());
  for (size_t row = 0; row < std::min(matches.size(), expected.size()); ++row) {
    report.require(fmt::format("{}entities[{}]", name, row),
                   nlohmann::json(retriever.names_of(matches[row])) == expected[row]);
  }
}

/// Retrieval with the case's general options, and the prompts that come of it.
void compare_retrieval(const GoldenCase& golden, CaseReport& report, const EntityRetriever& retriever,
                       const Gpt2Tokenizer& tokenizer, const EntityRetrievalOptions& options) {
  const nlohmann::json& json = golden.json();
  const at::Tensor features = golden.tensor("features");
  report.require("entity_names", nlohmann::json(retriever.names()) == json.at("entity_names"));
  EntityRetrievalOptions every = options;
  every.top_k = static_cast<int64_t>(retriever.names().size());
  const MatchTensors all = tensors_of(retriever.nearest(features, every));
  report.compare("entity_probs", at::zeros_like(all.probabilities).scatter(1, all.index, all.probabilities));
  const MatchTensors best = tensors_of(retriever.nearest(features, options));
  report.compare("entity_topk_probs", best.probabilities);
  report.compare("entity_topk_index", best.index);
  compare_entities("", report, retriever, features, options, json.at("entities"));
  const std::vector<std::string> prompts = hard_prompts_of(retriever, features, options);
  report.require("hard_prompt_text", nlohmann::json(prompts) == json.at("hard_prompt_text"));
  for (size_t row = 0; row < prompts.size(); ++row) {
    report.require(fmt::format("hard_prompt_ids[{}]", row),
                   nlohmann::json(tokenizer.encode(prompts[row])) == json.at("hard_prompt_ids").at(row));
  }
  EntityRetrievalOptions published;
  report.compare("entity_topk_probs_t001", tensors_of(retriever.nearest(features, published)).probabilities);
}

/// Mapping network, prompts of single rows, and the language model over the first of them.
void compare_networks(const GoldenCase& golden, CaseReport& report, const PromptedGpt2& model,
                      const std::vector<std::string>& hard_prompts, at::Device device) {
  const at::Tensor features = unit_rows(golden.tensor("features")).to(device);  // [R,D]
  report.compare("features_normalised", features);
  const MappingNetwork& mapper = *model.soft_prompt().mapping_network();
  report.compare("mapping_linear", mapper.states(features, 0).slice(1, 0, mapper.config().projected_length));
  report.compare("mapping_layer0", mapper.states(features, 1));
  report.compare("soft_prompt", mapper.forward(features));
  for (size_t row = 0; row < hard_prompts.size(); ++row) {
    const at::Tensor own = features.slice(0, static_cast<int64_t>(row), static_cast<int64_t>(row) + 1);
    const at::Tensor prompt =
        model.prompts(own, std::span(hard_prompts).subspan(row, 1), PromptLayout::soft_first).embeddings;
    report.compare(fmt::format("prefix_soft_first_{}", row), prompt[0]);
    if (row > 0) {
      continue;
    }
    Gpt2Cache cache(model.model(), 1, prompt.size(1));
    std::vector<at::Tensor> blocks;
    const at::Tensor hidden = model.model().run(prompt, cache, &blocks);  // [1,L,E]
    report.compare("gpt_hidden_row0_block0", blocks.front()[0]);
    report.compare("gpt_hidden_row0_final", hidden[0]);
    report.compare("logits_row0", model.model().logits(hidden)[0]);
  }
}

/// What a run expects of a row: captions and ids, the best one first, and scores of a beam search.
struct ExpectedRow {
  std::vector<std::string> captions;
  std::vector<std::vector<int64_t>> ids;
  std::vector<double> scores;
};

std::vector<ExpectedRow> expected_rows(const nlohmann::json& run) {
  std::vector<ExpectedRow> rows;
  if (run.contains("rows")) {
    for (const auto& row : run["rows"]) {
      rows.push_back({row.at("captions").get<std::vector<std::string>>(),
                      row.at("token_ids").get<std::vector<std::vector<int64_t>>>(),
                      row.at("scores").get<std::vector<double>>()});
    }
    return rows;
  }
  const auto captions = run.at("captions").get<std::vector<std::string>>();
  const auto ids = run.at("token_ids").get<std::vector<std::vector<int64_t>>>();
  for (size_t i = 0; i < std::min(captions.size(), ids.size()); ++i) {
    rows.push_back({{captions[i]}, {ids[i]}, {}});
  }
  return rows;
}

/// All texts of a search, and the plugin's captions, which are the best ones.
void compare_run(const std::string& name, const nlohmann::json& run, const GoldenCase& golden,
                 CaseReport& report, CaseHost& host, const PromptedGpt2& model,
                 const EntityRetriever& retriever) {
  const nlohmann::json& config = run.at("config");
  const at::Tensor features = golden.tensor("features");
  const PromptLayout layout = prompt_layout(case_layout(config));
  const auto padding =
      config.value("reference_batch_padding", false) ? PromptPadding::reference : PromptPadding::masked;
  const PromptBatch prompts = model.prompts(
      unit_rows(features), hard_prompts_of(retriever, features, retrieval_of(config)), layout, padding);
  const auto found = model.search(prompts, search_of(config));
  DecodeInput input;
  input.features = features;
  input.region_features = features;
  input.explain = true;
  const std::vector<Caption> captions = decoder_of(golden, host, config)->decode(input);
  const std::vector<ExpectedRow> expected = expected_rows(run);
  report.require(name + "/rows", found.size() == expected.size() && captions.size() == expected.size());
  for (size_t row = 0; row < std::min({found.size(), captions.size(), expected.size()}); ++row) {
    const ExpectedRow& wanted = expected[row];
    const std::string place = fmt::format("{}[{}]", name, row);
    report.require(place + ".count", found[row].size() == wanted.ids.size());
    report.require(place + ".token_ids", captions[row].token_ids == wanted.ids.at(0));
    report.compare_text(place + ".caption", captions[row].raw_text, wanted.captions.at(0));
    for (size_t i = 0; i < std::min(found[row].size(), wanted.ids.size()); ++i) {
      const std::string text = fmt::format("{}.{}", place, i);
      report.require(text + ".token_ids", found[row][i].ids == wanted.ids[i]);
      report.compare_text(text, model.tokenizer().decode(found[row][i].ids), wanted.captions[i]);
      if (i < wanted.scores.size()) {
        report.compare_number(text + ".score", found[row][i].score, wanted.scores[i], "beam_scores");
      }
    }
  }
}

}  // namespace

void verify_viecap(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const c10::InferenceMode no_gradients;
  const nlohmann::json& json = golden.json();
  const ViecapFiles names = files_of(golden);
  PromptedGpt2Files files;
  files.weights = names.weights;
  files.merges = golden.file(kCaseMerges);
  files.vocabulary = golden.file(kCaseVocabulary);
  files.mapping_heads = json.at("dims").at("mapping_heads").get<int64_t>();
  files.language_model_heads = json.at("dims").at("gpt_heads").get<int64_t>();
  const PromptedGpt2 model(files, host.context());
  const std::vector<std::string> vocabulary = read_entity_names(names.names);
  const EntityRetriever retriever(
      vocabulary, read_entity_embeddings(golden.file(kEmbeddings), vocabulary.size(), names.names.string()),
      golden.file(kEmbeddings).string());
  report.used_as_input("features");

  const nlohmann::json& greedy = json.at("runs").at("greedy_soft_first");
  const EntityRetrievalOptions retrieval = retrieval_of(greedy.at("config"));
  compare_retrieval(golden, report, retriever, model.tokenizer(), retrieval);
  compare_networks(golden, report, model, hard_prompts_of(retriever, golden.tensor("features"), retrieval),
                   host.context().device);
  for (const auto& [name, run] : json.at("runs").items()) {
    if (!run.contains("config")) {  // entities alone, with the published settings
      compare_entities(name + "/", report, retriever, golden.tensor("features"), {}, run.at("entities"));
      continue;
    }
    compare_run(name, run, golden, report, host, model, retriever);
  }
  const auto captions = greedy.at("captions").get<std::vector<std::string>>();
  report.compare("perplexity", at::tensor(model.perplexities(captions), at::kDouble));
}

}  // namespace patchioner
