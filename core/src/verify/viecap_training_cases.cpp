// Golden cases of ViECap's training from texts: captions, entities, batches, losses, gradients and updates.
#include <algorithm>

#include "decoding/prompted_training.hpp"
#include "entities/entity_names.hpp"
#include "entities/entity_retrieval.hpp"
#include "entities/training_entities.hpp"
#include "entities/training_words.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"
#include "train/text_trainer.hpp"
#include "verify/given_numbers.hpp"
#include "verify/kinds.hpp"
#include "verify/prompted_case_files.hpp"

namespace patchioner {
namespace {

// The heads of the tiny models of these cases, for a case that does not say.
constexpr int64_t kMappingHeads = 8;
constexpr int64_t kModelHeads = 4;

/// A case's inputs as the variants use them.
struct World {
  std::filesystem::path weights;
  std::filesystem::path words;  ///< the vocabulary as a file
  std::vector<std::string> captions;
  std::vector<std::vector<std::string>> entities;
  at::Tensor features;  ///< [N,D], noised
  int64_t mapping_heads = kMappingHeads;
  int64_t model_heads = kModelHeads;
};

std::filesystem::path weights_of(const GoldenCase& golden) {
  for (const auto& [name, meaning] : golden.json().at("files").items()) {
    if (name != kCaseMerges && name != kCaseVocabulary) {
      return golden.file(name);
    }
  }
  throw Error(ErrorKind::data, "{}: case.json names no weights under 'files'", golden.folder().string());
}

/// The vocabulary of a case as a file, each name once.
std::filesystem::path words_file(const GoldenCase& golden, const TemporaryFolder& folder) {
  std::vector<std::string> names;
  for (const auto& name : golden.json().at("objects_vocabulary_raw").get<std::vector<std::string>>()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }
  const std::filesystem::path file = folder.path() / "words.json";
  write_file(file, nlohmann::json(names).dump());
  return file;
}

/// The layout of a variant, which says only what is not usual.
std::string layout_of(const nlohmann::json& variant) {
  nlohmann::json config = {
      {"using_hard_prompt", true}, {"only_hard_prompt", false}, {"soft_prompt_first", true}};
  config.update(variant);
  return case_layout(config);
}

EntityFilterOptions filter_of(const nlohmann::json& hyper, const nlohmann::json& config) {
  EntityFilterOptions filter;
  filter.max_entities = config.value("max_num_of_entities", hyper.at("max_num_of_entities").get<size_t>());
  filter.random_mask = config.value("random_mask", true);
  filter.mask_probability =
      config.value("prob_of_random_mask", hyper.at("prob_of_random_mask").get<double>());
  return filter;
}

/// The decoder `viecap` of a variant, through the host, without dropout.
std::shared_ptr<Decoder> decoder_of(const GoldenCase& golden, CaseHost& host, const World& world,
                                    const nlohmann::json& config, bool frozen) {
  const EntityFilterOptions filter = filter_of(golden.json().at("hyper"), config);
  return host.decoder(Value(Value::Map{
      {"plugin", "viecap"},
      {"weights", world.weights.string()},
      {"tokenizer", case_tokenizer(golden)},
      {"heads", Value::Map{{"mapping", world.mapping_heads}, {"language_model", world.model_heads}}},
      {"layout", layout_of(config)},
      {"training", Value::Map{{"frozen_gpt", frozen},
                              {"dropout", 0.0},
                              {"max_entities", static_cast<int64_t>(filter.max_entities)},
                              {"random_mask", filter.random_mask},
                              {"mask_probability", filter.mask_probability},
                              {"vocabulary", world.words.string()}}}}));
}

std::vector<double> draws_of(const nlohmann::json& variant) {
  return variant.at("uniform_draws").get<std::vector<double>>();
}

TrainingBatch batch_of(const World& world, const Decoder& decoder) {
  std::vector<size_t> dropped;
  return {world.features, decoder.training_ids(world.captions, dropped), world.entities};
}

/// Prompts, batch and loss of one variant.
void compare_variant(const std::string& name, const nlohmann::json& variant, const GoldenCase& golden,
                     CaseReport& report, CaseHost& host, const World& world) {
  const nlohmann::json& hyper = golden.json().at("hyper");
  const nlohmann::json& config = variant.at("config");
  const PromptLayout layout = prompt_layout(layout_of(config));
  const EntityFilterOptions filter = filter_of(hyper, config);
  const auto tokenizer = Gpt2Tokenizer::open(golden.file(kCaseMerges), golden.file(kCaseVocabulary));
  std::vector<std::vector<int64_t>> prompts;
  if (layout != PromptLayout::no_hard) {
    EntityNameOptions single;
    single.single_words_only = true;
    const std::vector<std::string> names = read_entity_names(world.words, single);
    const std::unordered_set<std::string> vocabulary(names.begin(), names.end());
    GivenDraws draws(draws_of(variant));
    for (size_t row = 0; row < world.entities.size(); ++row) {
      const std::string prompt = hard_prompt(filter_entities(
          world.entities[row], vocabulary, filter, [&] { return draws.uniform({1}).item<double>(); }));
      report.compare_text(fmt::format("{}/hard_prompt_text[{}]", name, row), prompt,
                          variant.at("hard_prompt_text").at(row).get<std::string>());
      prompts.push_back(tokenizer->encode(prompt));
    }
    report.require(name + "/uniform_draws", draws.exhausted());
  }
  const at::Tensor ids = caption_ids(*tokenizer, world.captions);  // [N,L]
  report.require(name + "/max_length_per_caption",
                 ids.size(1) == variant.at("max_length_per_caption").get<int64_t>());
  const PromptedBatch batch =
      assemble_prompted_batch(ids, prompts, layout, hyper.at("continuous_prompt_length").get<int64_t>(),
                              hard_prompt_room(static_cast<int64_t>(filter.max_entities),
                                               hyper.at("prompt_template_length").get<int64_t>()));
  report.compare(name + "/tokens", batch.tokens);
  report.compare(name + "/labels", batch.labels);
  report.compare(name + "/mask", batch.mask);
  const nlohmann::json lengths =
      layout == PromptLayout::no_hard ? nlohmann::json() : nlohmann::json(batch.hard_lengths);
  report.require(name + "/hard_prompts_length", lengths == variant.at("hard_prompts_length"));

  const auto decoder = decoder_of(golden, host, world, config, /*frozen=*/false);
  GivenDraws draws(draws_of(variant));
  report.compare(name + "/loss",
                 decoder->loss(batch_of(world, *decoder), draws, /*training=*/false).value.reshape({1}));
  if (golden.has(name + "/logits_row0")) {
    PromptedWeights weights =
        load_prompted_weights(world.weights, PromptedKind::viecap, world.mapping_heads, world.model_heads);
    weights.move_to(host.context().device);
    const at::Tensor hidden =
        gpt2_forward(weights.language_model, prompted_embeddings(weights, world.features, batch, layout),
                     /*training=*/false, batch.mask);  // [N,S,E]
    report.compare(name + "/logits_row0", gpt2_logits(weights.language_model, hidden[0]));
  }
}

/// The names behind `prefix` among the case's tensors.
std::vector<std::string> names_behind(const GoldenCase& golden, const std::string& prefix) {
  std::vector<std::string> names;
  for (const std::string& name : golden.tensor_names()) {
    if (name.starts_with(prefix)) {
      names.push_back(name.substr(prefix.size()));
    }
  }
  return names;
}

/// Gradients by name after one step over the unfrozen model: those of a frozen one are not even computed, and
/// the others are the same, since nothing is dropped.
std::map<std::string, at::Tensor> all_gradients(const GoldenCase& golden, CaseHost& host, const World& world,
                                                const OptimizerOptions& options,
                                                const std::vector<double>& numbers) {
  const auto decoder = decoder_of(golden, host, world, nlohmann::json::object(), /*frozen=*/false);
  TextTrainer trainer(*decoder, {}, options);
  GivenDraws draws(numbers);
  trainer.step(batch_of(world, *decoder), draws);
  std::map<std::string, at::Tensor> gradients;
  for (const auto& [name, parameter] : trainer.parameters()) {
    gradients[name] = parameter.grad().clone();
  }
  return gradients;
}

/// Some updates on one batch, and what the saved checkpoint holds afterwards.
void compare_steps(const std::string& name, const nlohmann::json& variant, const GoldenCase& golden,
                   CaseReport& report, CaseHost& host, const World& world) {
  const nlohmann::json& hyper = golden.json().at("hyper");
  OptimizerOptions options;
  options.form = OptimizerForm::adamw_transformers;
  options.epsilon = usual_epsilon(options.form);
  options.weight_decay = 0;
  options.learning_rate = hyper.at("lr").get<double>();
  options.warmup_steps = hyper.at("warmup_steps").get<int64_t>();
  options.total_steps = hyper.at("total_steps").get<int64_t>();
  const std::vector<double> numbers = draws_of(golden.json().at("variants").at("soft_first"));
  const auto gradients = all_gradients(golden, host, world, options, numbers);
  const bool frozen = name.find("frozen") != std::string::npos;
  const auto decoder = decoder_of(golden, host, world, nlohmann::json::object(), frozen);
  TextTrainer trainer(*decoder, {}, options);
  const auto losses = variant.at("losses").get<std::vector<double>>();
  const auto rates = variant.at("learning_rates").get<std::vector<double>>();
  for (size_t step = 0; step < losses.size(); ++step) {
    GivenDraws draws(numbers);
    const TrainStep values = trainer.step(batch_of(world, *decoder), draws);
    report.compare_number(fmt::format("{}/losses[{}]", name, step), values.loss, losses[step], "loss");
    report.compare_number(fmt::format("{}/learning_rates[{}]", name, step), values.learning_rate,
                          rates.at(step), "loss");
    if (step > 0) {
      continue;
    }
    for (const std::string& tensor : names_behind(golden, name + "/grad0/")) {
      const auto own = std::find_if(trainer.parameters().begin(), trainer.parameters().end(),
                                    [&](const auto& parameter) { return parameter.first == tensor; });
      const bool trains = own != trainer.parameters().end();
      report.compare(name + "/grad0/" + tensor, trains ? own->second.grad() : gradients.at(tensor),
                     "gradients");
    }
  }
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "trained.pt";
  decoder->save(file.string(), "");
  const StateDict saved = StateDict::open(file, "");
  const std::string after = fmt::format("{}/after{}/", name, losses.size());
  for (const std::string& tensor : names_behind(golden, after)) {
    report.compare(after + tensor, saved.tensor(tensor), "after_steps");
  }
}

}  // namespace

void verify_viecap_training(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const nlohmann::json& json = golden.json();
  const TemporaryFolder folder;
  World world;
  world.weights = weights_of(golden);
  world.words = words_file(golden, folder);
  world.entities = json.at("detected_entities").get<std::vector<std::vector<std::string>>>();
  const nlohmann::json dims = json.value("dims", nlohmann::json::object());
  world.mapping_heads = dims.value("mapping_heads", kMappingHeads);
  world.model_heads = dims.value("gpt_heads", kModelHeads);
  const auto clean = json.at("clean_captions").get<std::vector<std::string>>();
  const auto raw = json.at("raw_captions").get<std::vector<std::string>>();
  const auto cleaner = decoder_of(golden, host, world, nlohmann::json::object(), /*frozen=*/false);
  for (size_t i = 0; i < raw.size(); ++i) {
    world.captions.push_back(cleaner->training_text(raw[i]));
    report.compare_text(fmt::format("clean_captions[{}]", i), world.captions[i], clean.at(i));
  }
  for (const auto& word : json.at("people_vocabulary").get<std::vector<std::string>>()) {
    report.require("people_vocabulary." + word, is_person_word(word));
  }
  report.used_as_input("features");
  report.used_as_input("noise");
  GivenNumbers numbers(golden.tensor("noise"));
  const auto gap = host.gap(
      Value::Map{{"plugin", "noise"}, {"variance", json.at("hyper").at("noise_variance").get<double>()}});
  world.features = gap->perturb(golden.tensor("features"), numbers);  // [N,D]
  report.compare("prefix_noisy", world.features);
  for (const auto& [name, variant] : json.at("variants").items()) {
    if (variant.contains("config")) {
      compare_variant(name, variant, golden, report, host, world);
    } else {
      compare_steps(name, variant, golden, report, host, world);
    }
  }
}

}  // namespace patchioner
