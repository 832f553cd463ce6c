// Golden cases of the plain decoder: forward pass, greedy search, texts, training ids and training.
#include <c10/core/InferenceMode.h>

#include <limits>
#include <patchioner/error.hpp>

#include "text/clip_tokenizer.hpp"
#include "train/text_trainer.hpp"
#include "verify/given_numbers.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

/// Those of `names` that the case has among its files.
std::vector<std::string> files_of(const GoldenCase& golden, std::initializer_list<const char*> names) {
  std::vector<std::string> found;
  for (const char* name : names) {
    if (golden.json().at("files").contains(name)) {
      found.emplace_back(name);
    }
  }
  return found;
}

/// The settings file of a case: the original pickle where it has one.
std::string config_of(const GoldenCase& golden) {
  const std::vector<std::string> found = files_of(golden, {"decoder_config.pkl", "decoder_config.json"});
  return found.empty() ? "decoder_config.pkl" : found.front();
}

/// The plain decoder of a case, through the host.
std::shared_ptr<Decoder> plain_decoder(const GoldenCase& golden, CaseHost& host, const std::string& weights,
                                       const std::string& config, Value::Map options = {}) {
  Value section(std::move(options));
  section.set("plugin", "plain");
  section.set("weights", golden.file(weights).string());
  section.set("config", golden.file(config).string());
  if (golden.json().contains("vocabulary")) {
    section.set("vocabulary", golden.file(golden.json().at("vocabulary").get<std::string>()).string());
  }
  return host.decoder(section);
}

DecodeInput input_of(const at::Tensor& features) {
  DecodeInput input;
  input.features = features;
  input.region_features = features;
  input.explain = true;
  return input;
}

/// A number of case.json, in which NaN is the text "nan".
double number_of(const nlohmann::json& value) {
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

at::Tensor ids_of(const std::vector<Caption>& captions) {
  std::vector<at::Tensor> rows;
  for (const Caption& caption : captions) {
    rows.push_back(at::tensor(caption.token_ids, at::kLong));
  }
  return at::stack(rows);  // [R,T]
}

at::Tensor log_probabilities_of(const std::vector<Caption>& captions) {
  std::vector<at::Tensor> rows;
  for (const Caption& caption : captions) {
    rows.push_back(at::tensor(caption.log_probabilities, at::kDouble));
  }
  return at::stack(rows);  // [R,T]
}

OptimizerOptions optimizer_of(const nlohmann::json& dims) {
  OptimizerOptions options;
  options.learning_rate = dims.at("lr").get<double>();
  options.warmup_steps = dims.at("warmup_steps").get<int64_t>();
  options.total_steps = dims.at("total_steps").get<int64_t>();
  return options;
}

std::vector<std::shared_ptr<Gap>> gaps_of(const nlohmann::json& dims, CaseHost& host) {
  const double deviation = dims.at("noise_std").get<double>();
  Value section(Value::Map{{"plugin", deviation > 0 ? "noise" : "none"}});
  if (deviation > 0) {
    section.set("std", deviation);
  }
  return {host.gap(section)};
}

/// Weights after the updates, without the key part of each c_attn.bias: the softmax does not depend on it, so
/// its gradient is rounding noise, which AdamW scales up to whole steps.
void compare_final_weights(const GoldenCase& golden, CaseReport& report, const TextTrainer& trainer) {
  const StateDict expected = StateDict::open(golden.file("decoder_final.pt"));
  for (const auto& [name, parameter] : trainer.parameters()) {
    at::Tensor ours = parameter.detach();
    at::Tensor theirs = expected.tensor(name);
    if (name.ends_with("attn.c_attn.bias")) {
      const int64_t width = ours.size(0) / 3;
      const auto without_keys = [width](const at::Tensor& bias) {
        return at::cat({bias.narrow(0, 0, width), bias.narrow(0, 2 * width, width)});
      };
      ours = without_keys(ours);
      theirs = without_keys(theirs);
    }
    report.compare("final/" + name, ours, theirs, "weights");
  }
}

void compare_gradients(const GoldenCase& golden, CaseReport& report, const TextTrainer& trainer) {
  for (const auto& [name, parameter] : trainer.parameters()) {
    if (golden.has("grad0." + name)) {
      report.compare("grad0." + name, parameter.grad(), "gradients");
    }
  }
}

at::Tensor row(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

}  // namespace

void verify_decap(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const at::Tensor features = golden.tensor("in_features");
  // Both ages of the checkpoint, with both forms of the settings file.
  std::vector<std::pair<std::string, std::string>> variants;
  for (const std::string& weights : files_of(golden, {"decoder.pt", "decoder_old.pt"})) {
    for (const std::string& config : files_of(golden, {"decoder_config.pkl", "decoder_config.json"})) {
      variants.emplace_back(weights, config);
    }
  }
  for (const auto& [weights, config] : variants) {
    const auto decoder = plain_decoder(golden, host, weights, config);
    const c10::InferenceMode no_gradients;
    report.compare("prefix_embedding", decoder->probe("prefix_embedding", {{"features", features}}));
    report.compare("logits", decoder->logits(features, golden.tensor("in_tokens")));
    const std::vector<Caption> captions = decoder->decode(input_of(features));
    report.compare("greedy_tokens", ids_of(captions));
    report.compare("greedy_sum_logprob", log_probabilities_of(captions).sum(1));
    const nlohmann::json& scores = golden.json().at("scores");
    for (size_t i = 0; i < captions.size(); ++i) {
      report.compare_number(fmt::format("scores[{}]", i), captions[i].score, number_of(scores.at(i)));
    }
  }
}

void verify_decap_text(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const auto decoder = plain_decoder(golden, host, "decoder.pt", config_of(golden));
  const auto until_end =
      plain_decoder(golden, host, "decoder.pt", config_of(golden), {{"score_until_end", true}});
  const auto tokenizer = ClipTokenizer::open(golden.file(golden.json().at("vocabulary").get<std::string>()));
  const at::Tensor features = golden.tensor("in_features");
  const std::vector<Caption> captions = decoder->decode(input_of(features));
  DecodeInput input = input_of(features);
  input.explain = false;  // may stop early
  const std::vector<Caption> stopped = until_end->decode(input);
  report.compare("greedy_tokens", ids_of(captions));
  // The last row is NaN, and not among the expected log-probabilities.
  const at::Tensor expected = golden.tensor("token_logprobs");
  report.compare("token_logprobs", log_probabilities_of(captions).narrow(0, 0, expected.size(0)), expected);
  const nlohmann::json& texts = golden.json().at("texts");
  report.require("a caption a text", texts.size() == captions.size());
  for (size_t i = 0; i < std::min(texts.size(), captions.size()); ++i) {
    const nlohmann::json& text = texts[i];
    const std::string name = fmt::format("texts[{}].", i);
    const Caption& caption = captions[i];
    report.compare_text(name + "batched", caption.raw_text, text.at("batched").get<std::string>());
    report.compare_text(name + "eval_postprocessed", caption.text,
                        text.at("eval_postprocessed").get<std::string>());
    // The forms with markers, which a caption has no field for.
    const auto& ids = caption.token_ids;
    const auto end = std::find(ids.begin(), ids.end(), tokenizer->end_id());
    const auto decoded = [&](auto last) { return tokenizer->decode({ids.begin(), last}); };
    report.compare_text(name + "batched_with_markers", decoded(end) + "<|endoftext|>",
                        text.at("batched_with_markers").get<std::string>());
    report.compare_text(name + "single_decode", decoded(end == ids.end() ? end : end + 1),
                        text.at("single_decode").get<std::string>());
    report.compare_text(name + "stopped early", stopped[i].text, caption.text);
    report.compare_number(name + "score", caption.score, number_of(text.at("score")));
    if (text.at("sum_logprob_until_end").is_number()) {
      report.compare_number(name + "sum_logprob_until_end", std::log(stopped[i].score),
                            number_of(text.at("sum_logprob_until_end")), "float");
    }
    const int64_t first_end = end == ids.end() ? -1 : end - ids.begin();
    report.require(name + "first_end_token", first_end == text.at("first_end_token").get<int64_t>());
  }
}

void verify_decap_data(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const std::string vocabulary = golden.file(golden.json().at("vocabulary").get<std::string>()).string();
  const auto tokenizer = ClipTokenizer::open(vocabulary);
  const at::Tensor expected = golden.tensor("ids77");
  const auto captions = golden.json().at("captions").get<std::vector<std::string>>();
  const auto decoded = golden.json().at("decoded_ids77").get<std::vector<std::string>>();
  const at::Tensor ids = tokenizer->tokenize(captions, expected.size(1), /*truncate=*/false);
  report.compare("ids77", ids);
  // A small fresh decoder: only its tokenizer matters here.
  Value section(Value::Map{{"plugin", "plain"},
                           {"vocabulary", vocabulary},
                           {"vocab_size", tokenizer->size()},
                           {"prefix_size", 4},
                           {"n_embd", 4},
                           {"n_layer", 1},
                           {"n_head", 1},
                           {"n_positions", 32},
                           {"context_length", expected.size(1)},
                           {"training_tokens", golden.tensor("ids20").size(1)}});
  const auto decoder = host.decoder(section);
  std::vector<size_t> dropped;
  report.compare("ids20", decoder->training_ids(captions, dropped));
  report.require("no caption is dropped", dropped.empty());
  const auto too_long = golden.json().at("too_long_rejected").get<std::vector<std::string>>();
  report.require("longer captions give no ids", decoder->training_ids(too_long, dropped).size(0) == 0);
  report.require("longer captions are dropped", dropped.size() == too_long.size());
  for (size_t i = 0; i < decoded.size(); ++i) {
    const at::Tensor line = ids[static_cast<int64_t>(i)].contiguous();
    const int64_t* first = line.const_data_ptr<int64_t>();
    const int64_t* end = std::find(first + 1, first + line.size(0), 0);  // zeros are padding here
    report.compare_text(fmt::format("decoded_ids77[{}]", i),
                        tokenizer->decode({first, static_cast<size_t>(end - first)}), decoded[i]);
  }
}

void verify_decap_training(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const nlohmann::json& dims = golden.json().at("dims");
  Value::Map no_dropout;
  for (const char* rate : {"resid_pdrop", "embd_pdrop", "attn_pdrop"}) {
    no_dropout.emplace_back(rate, dims.value(rate, 0.0));
  }
  const auto decoder = plain_decoder(golden, host, "decoder_initial.pt", config_of(golden), no_dropout);
  const at::Tensor text_features = golden.tensor("in_text_features");  // [steps,B,D]
  const at::Tensor noise = golden.tensor("in_noise");                  // [steps,B,D]
  const at::Tensor ids = golden.tensor("in_tokens");                   // [steps,B,T]
  TextTrainer trainer(*decoder, gaps_of(dims, host), optimizer_of(dims));
  std::vector<at::Tensor> inputs;
  std::vector<double> losses, accuracies, norms, rates;
  for (int64_t step = 0; step < dims.at("steps").get<int64_t>(); ++step) {
    GivenNumbers numbers(noise[step]);
    inputs.push_back(trainer.decoder_input(text_features[step], numbers));
    if (step == 0 && golden.json().contains("loss0_without_label_smoothing")) {
      Value::Map options = no_dropout;
      options.emplace_back("label_smoothing", 0.0);
      const auto plain_loss = plain_decoder(golden, host, "decoder_initial.pt", config_of(golden), options);
      report.compare_number(
          "loss0_without_label_smoothing",
          plain_loss->loss({inputs[0], ids[0], {}}, numbers, /*training=*/false).value.item<double>(),
          golden.json().at("loss0_without_label_smoothing").get<double>(), "losses");
    }
    const TrainStep values = trainer.step({inputs.back(), ids[step], {}}, numbers);
    losses.push_back(values.loss);
    accuracies.push_back(values.accuracy);
    norms.push_back(values.gradient_norm);
    rates.push_back(values.learning_rate);
    if (step == 0) {
      compare_gradients(golden, report, trainer);
    }
  }
  report.compare("prefix_inputs", at::stack(inputs));
  report.compare("losses", row(losses));
  report.compare("accuracies", row(accuracies));
  report.compare("grad_norms", row(norms));
  report.compare("lrs", row(rates));
  std::vector<double> final_losses;
  for (size_t step = 0; step < inputs.size(); ++step) {
    const c10::InferenceMode no_gradients;
    GivenNumbers numbers(noise[static_cast<int64_t>(step)]);
    final_losses.push_back(
        decoder->loss({inputs[step], ids[static_cast<int64_t>(step)], {}}, numbers, /*training=*/false)
            .value.item<double>());
  }
  report.compare("final_losses", row(final_losses));
  compare_final_weights(golden, report, trainer);
}

}  // namespace patchioner
