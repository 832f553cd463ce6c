#include "train/training_state.hpp"

#include <c10/core/GradMode.h>

#include <bit>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "checkpoint/state_dict.hpp"

namespace patchioner {

namespace {

constexpr const char* kFormat = "patchioner training state 2";
constexpr const char* kParameter = "parameter/";
constexpr const char* kFirstMoment = "first_moment/";
constexpr const char* kSecondMoment = "second_moment/";

// Sums travel as the bits of a double, so that a resumed training writes the same digits.
uint64_t bits(double value) {
  return std::bit_cast<uint64_t>(value);
}
double from_bits(const nlohmann::json& value) {
  return std::bit_cast<double>(value.get<uint64_t>());
}

nlohmann::json progress_json(const TrainingProgress& progress) {
  nlohmann::json json = {{"step", progress.step},
                         {"epoch_loss_sum", bits(progress.epoch_loss_sum)},
                         {"epoch_accuracy_sum", bits(progress.epoch_accuracy_sum)},
                         {"epochs", nlohmann::json::array()}};
  for (const EpochRecord& epoch : progress.epochs) {
    json["epochs"].push_back({epoch.epoch, bits(epoch.loss), bits(epoch.accuracy)});
  }
  return json;
}

TrainingProgress progress_from(const nlohmann::json& json) {
  TrainingProgress progress;
  progress.step = json.at("step").get<int64_t>();
  progress.epoch_loss_sum = from_bits(json.at("epoch_loss_sum"));
  progress.epoch_accuracy_sum = from_bits(json.at("epoch_accuracy_sum"));
  for (const nlohmann::json& epoch : json.at("epochs")) {
    progress.epochs.push_back({epoch.at(0).get<int64_t>(), from_bits(epoch.at(1)), from_bits(epoch.at(2))});
  }
  return progress;
}

/// What is different, in words.
std::string difference(const std::string& key, const std::string& then, const std::string& now) {
  if (key == kCaptionsDigest) {
    return "the captions (train.data), their entities or their tokenizer changed";
  }
  if (key == kTextEncoderDigest) {
    return "the text encoder changed";
  }
  if (key.ends_with(kDigestEnding)) {
    return fmt::format("the content of {} changed", key.substr(0, key.size() - kDigestEnding.size()));
  }
  return fmt::format("{} was {}, is {}", key, then, now);
}

void check_settings(const std::filesystem::path& file, const TrainingSettings& then,
                    const TrainingSettings& now) {
  std::vector<std::string> differences;
  const auto value = [](const TrainingSettings& settings, const std::string& key) {
    const auto found = settings.find(key);
    return found == settings.end() ? std::string("absent") : found->second;
  };
  TrainingSettings all = then;
  all.insert(now.begin(), now.end());
  for (const auto& [key, unused] : all) {
    if (value(then, key) != value(now, key)) {
      differences.push_back(difference(key, value(then, key), value(now, key)));
    }
  }
  if (differences.empty()) {
    return;
  }
  std::string list;
  for (const std::string& difference : differences) {
    list += (list.empty() ? "" : "; ") + difference;
  }
  throw Error(ErrorKind::config,
              "{}: this training was begun with other settings ({}); set them back to go on, start again "
              "with --restart, or give another train.output",
              file.string(), list);
}

/// Where a state stands, when it was made under these settings.
TrainingProgress read_progress(const std::filesystem::path& file, const StateDict& state_dict,
                               const TrainingSettings& settings) {
  const auto& metadata = state_dict.metadata();
  try {
    if (metadata.at("format") != kFormat) {
      throw Error(ErrorKind::checkpoint,
                  "{}: a state of format '{}', expected '{}'; start again with --restart", file.string(),
                  metadata.at("format"), kFormat);
    }
    check_settings(file, nlohmann::json::parse(metadata.at("settings")).get<TrainingSettings>(), settings);
    return progress_from(nlohmann::json::parse(metadata.at("progress")));
  } catch (const Error&) {
    throw;
  } catch (const std::exception&) {
    throw Error(ErrorKind::checkpoint, "{}: no training state, or a damaged one; start again with --restart",
                file.string());
  }
}

}  // namespace

void save_training_state(const std::filesystem::path& file, const TextTrainer& trainer,
                         const TrainingProgress& progress, const TrainingSettings& settings) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  const OptimizerState& state = trainer.state();
  for (size_t i = 0; i < trainer.parameters().size(); ++i) {
    const auto& [name, tensor] = trainer.parameters()[i];
    tensors.emplace_back(kParameter + name, tensor.detach());
    tensors.emplace_back(kFirstMoment + name, state.first_moments[i]);
    tensors.emplace_back(kSecondMoment + name, state.second_moments[i]);
  }
  write_safetensors(file, tensors,
                    {{"format", kFormat},
                     {"progress", progress_json(progress).dump()},
                     {"settings", nlohmann::json(settings).dump()}});
}

void check_training_state(const std::filesystem::path& file, const TrainingSettings& settings) {
  if (std::filesystem::exists(file)) {
    read_progress(file, StateDict::open(file), settings);
  }
}

std::optional<TrainingProgress> load_training_state(const std::filesystem::path& file, TextTrainer& trainer,
                                                    const TrainingSettings& settings) {
  if (!std::filesystem::exists(file)) {
    return std::nullopt;
  }
  const StateDict state_dict = StateDict::open(file);
  const TrainingProgress progress = read_progress(file, state_dict, settings);
  TensorLoader loader(state_dict, "training state");
  std::vector<at::Tensor> weights;
  OptimizerState state;
  state.steps = progress.step;
  for (const auto& [name, tensor] : trainer.parameters()) {
    const std::vector<int64_t> shape = tensor.sizes().vec();
    weights.push_back(loader.get(kParameter + name, shape));
    state.first_moments.push_back(loader.get(kFirstMoment + name, shape).clone());
    state.second_moments.push_back(loader.get(kSecondMoment + name, shape).clone());
  }
  loader.finish();
  const c10::NoGradGuard no_gradients;
  for (size_t i = 0; i < weights.size(); ++i) {
    at::Tensor parameter = trainer.parameters()[i].second;
    parameter.copy_(weights[i]);
    state.first_moments[i] = state.first_moments[i].to(parameter.device());
    state.second_moments[i] = state.second_moments[i].to(parameter.device());
  }
  trainer.restore(std::move(state));
  return progress;
}

}  // namespace patchioner
