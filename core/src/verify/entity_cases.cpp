// Golden cases of what the entity-aware decoders stand on: scene graphs by rules, entity retrieval, and the
// optional networks.
#include <algorithm>

#include "entities/concepts.hpp"
#include "entities/entity_retrieval.hpp"
#include "entities/rule_parser.hpp"
#include "entities/sentence_encoder.hpp"
#include "nn/t5.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

at::Tensor as_tensor(const std::vector<int64_t>& ids) {
  return at::tensor(ids, at::kLong);
}

/// Probabilities of the matches of each row: [R,k].
at::Tensor probabilities_of(const std::vector<std::vector<EntityMatch>>& matches) {
  std::vector<at::Tensor> rows;
  for (const std::vector<EntityMatch>& row : matches) {
    std::vector<float> values;
    for (const EntityMatch& match : row) {
      values.push_back(match.probability);
    }
    rows.push_back(at::tensor(values, at::kFloat));
  }
  return at::stack(rows);
}

/// The attributes of a node as a case writes them: an object from attribute to captions.
nlohmann::json attributes_of(const SceneNode& node) {
  nlohmann::json attributes = nlohmann::json::object();
  for (const auto& [attribute, captions] : node.attributes) {
    attributes[attribute] = captions;
  }
  return attributes;
}

/// Whether a node of united graphs is what the case says of it.
bool is_expected(const SceneNode& node, const nlohmann::json& expected) {
  std::vector<std::string> relations = node.relations;
  std::sort(relations.begin(), relations.end());  // a JSON object has no order of its own
  std::vector<std::string> wanted;
  for (const auto& [target, words] : expected.at("relations").items()) {
    wanted.push_back(target);
  }
  return node.captions == expected.at("captions").get<int64_t>() &&
         attributes_of(node) == expected.at("attributes") && relations == wanted;
}

T5Config t5_config(const nlohmann::json& dims) {
  T5Config config;
  config.width = dims.at("d_model").get<int64_t>();
  config.heads = dims.at("heads").get<int64_t>();
  config.head_width = dims.at("d_kv").get<int64_t>();
  config.hidden = dims.at("d_ff").get<int64_t>();
  config.encoder_layers = dims.at("layers").get<int64_t>();
  config.decoder_layers = config.encoder_layers;
  config.vocabulary = dims.at("vocab").get<int64_t>();
  config.buckets = dims.at("buckets").get<int64_t>();
  config.max_distance = dims.at("max_distance").get<int64_t>();
  config.epsilon = dims.at("layer_norm_eps").get<double>();
  config.pad_id = dims.at("pad").get<int64_t>();
  config.end_id = dims.at("eos").get<int64_t>();
  return config;
}

}  // namespace

void verify_rule_parser(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const auto lexicon = golden.file(golden.json().at("lexicon").get<std::string>());
  const RuleParser parser(SceneGraphLexicon::read(lexicon));
  for (const auto& row : golden.json().at("rows")) {
    const auto caption = row.at("caption").get<std::string>();
    report.compare_text("\"" + caption + "\"", parser.parse(caption), row.at("graph").get<std::string>());
  }
}

void verify_entity_retrieval(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const nlohmann::json& json = golden.json();
  const auto names = json.at("entity_names").get<std::vector<std::string>>();
  for (const auto& [space, runs] : json.at("results").items()) {
    const at::Tensor features = golden.tensor(space + "/features");             // [R,D]
    const at::Tensor embeddings = golden.tensor(space + "/entity_embeddings");  // [M,D]
    report.used_as_input(space + "/features");
    report.used_as_input(space + "/entity_embeddings");
    const EntityRetriever retriever(names, embeddings, golden.folder().string());
    for (const auto& run : runs) {
      EntityRetrievalOptions options;
      options.temperature = run.at("temperature").get<double>();
      options.top_k = run.at("top_k").get<int64_t>();
      options.threshold = run.at("threshold").get<double>();
      const std::string name = fmt::format("{}/T{}_k{}_th{}/", space, run["temperature"].dump(),
                                           run["top_k"].dump(), run["threshold"].dump());
      report.compare(name + "probs", probabilities_of(retriever.nearest(features, options)));
      const auto matches = retriever.retrieve(features, options);
      const auto entities = run.at("entities").get<std::vector<std::vector<std::string>>>();
      const auto prompts = run.at("hard_prompt").get<std::vector<std::string>>();
      report.require(name + "rows", matches.size() == entities.size() && matches.size() == prompts.size());
      for (size_t row = 0; row < std::min({matches.size(), entities.size(), prompts.size()}); ++row) {
        const std::vector<std::string> found = retriever.names_of(matches[row]);
        report.require(fmt::format("{}entities[{}]", name, row), found == entities[row]);
        report.compare_text(fmt::format("{}hard_prompt[{}]", name, row), hard_prompt(found), prompts[row]);
      }
    }
  }
}

void verify_meacap_concepts(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const nlohmann::json& json = golden.json();
  ConceptOptions options;
  options.similarity = json.at("similarity_threshold").get<double>();
  options.min_count = json.at("min_count").get<int64_t>();
  options.attribute_min = json.at("attribute_threshold").get<int64_t>();
  size_t number = 0;
  for (const auto& group : json.at("cases")) {
    const std::string name = fmt::format("{}/", number++);
    std::vector<std::string> formatted;
    std::vector<std::vector<std::string>> segments;
    std::vector<SceneGraph> graphs;
    for (const auto& text : group.at("parser_output").get<std::vector<std::string>>()) {
      formatted.push_back(spaced_scene_graph(text));
      segments.push_back(scene_graph_segments(formatted.back()));
      graphs.push_back(read_scene_graph(text));
    }
    report.require(name + "formatted", nlohmann::json(formatted) == group.at("formatted"));
    report.require(name + "segments", nlohmann::json(segments) == group.at("segments"));

    const SceneGraph graph = unite_scene_graphs(graphs);
    std::vector<std::string> names;
    for (const SceneNode& node : graph) {
      names.push_back(node.name);
      report.require(name + "graph." + node.name,
                     group.at("graph").contains(node.name) && is_expected(node, group["graph"][node.name]));
    }
    report.require(name + "entities", nlohmann::json(names) == group.at("entities"));

    report.used_as_input(name + "embeddings");
    const std::vector<Concept> concepts =
        find_concepts(graph, group.at("captions").get<std::vector<std::string>>(),
                      name_similarities(golden.tensor(name + "embeddings")), options);
    nlohmann::json counts = nlohmann::json::object();
    std::vector<std::string> texts;
    for (const Concept& found : concepts) {
      counts[found.node.name] = found.node.captions;
      texts.push_back(found.text);
      const auto kept = group.at("kept").find(found.node.name);
      report.require(name + "kept." + found.node.name,
                     kept != group["kept"].end() && kept->at("attributes") == attributes_of(found.node));
      if (kept != group["kept"].end()) {
        report.compare_number(name + "relative_pos." + found.node.name, found.position,
                              kept->at("relative_pos").get<double>(), "relative_pos");
      }
    }
    report.require(name + "merged_counts", counts == group.at("merged_counts"));
    report.require(name + "all_concepts", nlohmann::json(texts) == group.at("all_concepts"));
    const std::vector<std::string> chosen = concept_texts(concepts, options);
    report.require(name + "concepts", nlohmann::json(chosen) == group.at("concepts"));
    report.compare_text(name + "hard_prompt", hard_prompt(chosen),
                        group.at("hard_prompt").get<std::string>());
  }
}

void verify_sentence_encoder(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const auto encoder = SentenceEncoder::open(golden.folder(), host.context().device);
  const auto texts = golden.json().at("texts").get<std::vector<std::string>>();
  const auto ids = golden.json().at("input_ids").get<std::vector<std::vector<int64_t>>>();
  report.require("a row of ids a text", ids.size() == texts.size());
  for (size_t i = 0; i < std::min(texts.size(), ids.size()); ++i) {
    report.compare(fmt::format("input_ids[{}]", i), as_tensor(encoder->tokenize(texts[i])),
                   as_tensor(ids[i]));
  }
  const at::Tensor first = as_tensor(encoder->tokenize(texts.at(0))).unsqueeze(0);  // [1,T]
  report.compare("token_states_row0", encoder->network().forward(first)[0]);
  report.compare("mean", encoder->mean_states(texts));
  const at::Tensor embeddings = encoder->encode(texts);  // [N,W]
  report.compare("embeddings", embeddings);
  report.compare("cosine", at::matmul(embeddings, embeddings.t()));
}

void verify_t5(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const T5Config config = t5_config(golden.json().at("dims"));
  TensorLoader loader(StateDict::open(golden.file("model.safetensors")), "T5");
  for (const char* copy : {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight"}) {
    loader.ignore(copy);
  }
  const T5 model(config, weights_from(loader, host.context().device));
  loader.finish();
  for (const char* input : {"input_ids", "attention_mask", "decoder_input_ids"}) {
    report.used_as_input(input);
  }
  const at::Tensor lengths = golden.tensor("attention_mask").to(at::kLong).sum(1);  // [B]
  const at::Tensor encoded = model.encode(golden.tensor("input_ids"), lengths);     // [B,T,W]
  report.compare("encoder_output", encoded);
  report.compare("decoder_logits", model.logits(encoded, lengths, golden.tensor("decoder_input_ids")));
  const int64_t most = golden.json().at("dims").at("max_length").get<int64_t>();
  const at::Tensor ids = model.generate(encoded, lengths, most);  // [B,U]
  // The case pads its rows to the most ids that there may be.
  const at::Tensor padded = at::full_like(golden.tensor("generated_ids"), config.pad_id);
  padded.slice(1, 0, ids.size(1)).copy_(ids.slice(1, 0, padded.size(1)));
  report.compare("generated_ids", padded);
}

}  // namespace patchioner
