#include "train/training_run.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include <chrono>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>
#include <regex>

#include "report/event_file.hpp"
#include "support/file_lock.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/output_folder.hpp"
#include "support/progress.hpp"
#include "train/curve.hpp"
#include "train/training_data.hpp"

namespace patchioner {

namespace {

// What a generator is used for; a part of its seed.
enum class Stream : uint64_t { order = 1, partners = 2, noise = 3, dropout = 4 };

/// Generators are made afresh from the seed and a counter (the epoch or the step), so that a resumed training
/// needs no saved generator state. The mixing is SplitMix64's.
uint64_t seed_for(int64_t seed, Stream stream, int64_t counter) {
  uint64_t z = static_cast<uint64_t>(seed);
  for (const uint64_t part : {static_cast<uint64_t>(stream), static_cast<uint64_t>(counter)}) {
    z += part * 0x9e3779b97f4a7c15 + 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
  }
  return z;
}

at::Generator generator_for(int64_t seed, Stream stream, int64_t counter) {
  return at::make_generator<at::CPUGeneratorImpl>(seed_for(seed, stream, counter));
}

/// The names of what a run writes.
struct Files {
  explicit Files(const TrainOptions& options) : folder(options.output), prefix(options.prefix) {}
  std::filesystem::path checkpoint(int64_t epoch) const {
    return folder / fmt::format("{}-{:03}.pt", prefix, epoch);
  }
  std::filesystem::path config() const { return folder / (prefix + "_config.yaml"); }
  std::filesystem::path epochs() const { return folder / (prefix + "_epoch_losses.csv"); }
  std::filesystem::path steps() const { return folder / (prefix + "_steps.csv"); }
  std::filesystem::path state() const { return folder / (prefix + "_state.safetensors"); }
  std::filesystem::path lock() const { return folder / (prefix + "_train.lock"); }

  /// Takes away what an earlier run with this prefix left: first its state, so that nothing goes on from
  /// there, then its curves and every checkpoint with what lies beside it (<prefix>-<digits>.pt, and
  /// <prefix>-<digits>_config.json).
  void remove_all() const {
    for (const auto& file : {state(), epochs(), steps()}) {
      std::filesystem::remove(file);
    }
    static const std::regex kRest(R"(-\d{3,}(\.pt|_config\.json))");
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(prefix) && std::regex_match(name.substr(prefix.size()), kRest)) {
        found.push_back(entry.path());
      }
    }
    for (const auto& file : found) {
      std::filesystem::remove(file);
    }
  }
  std::filesystem::path folder;
  std::string prefix;
};

std::string precision_of(const TrainingParts& parts) {
  return parts.precision == at::kBFloat16 ? "bf16" : "fp32";
}

/// What decides about the captions' features beside the backbone's fingerprint: how they are computed, and
/// whether long ones are cut.
std::string text_conditions(const TrainingParts& parts) {
  const auto truncate = parts.settings.find("backbone.truncate");
  return fmt::format("precision={},truncate={}", precision_of(parts),
                     truncate == parts.settings.end() ? "" : truncate->second);
}

double epsilon_of(const TrainOptions& options) {
  return options.epsilon > 0 ? options.epsilon : usual_epsilon(optimizer_form(options.optimizer));
}

TrainingSettings settings_of(const TrainingParts& parts, const TrainOptions& options,
                             const std::string& captions_digest) {
  TrainingSettings settings = parts.settings;
  settings[kCaptionsDigest] = captions_digest;
  settings[kTextEncoderDigest] = parts.backbone->text_fingerprint();
  settings["precision"] = precision_of(parts);
  settings["train.epochs"] = std::to_string(options.epochs);
  settings["train.batch_size"] = std::to_string(options.batch_size);
  settings["train.lr"] = fmt::format("{}", options.lr);
  settings["train.warmup_steps"] = std::to_string(options.warmup_steps);
  settings["train.weight_decay"] = fmt::format("{}", options.weight_decay);
  settings["train.optimizer"] = options.optimizer;
  settings["train.epsilon"] = fmt::format("{}", epsilon_of(options));
  settings["train.seed"] = std::to_string(options.seed);
  settings["train.limit"] = std::to_string(options.limit);
  settings["train.mix_captions"] = options.mix_captions ? "true" : "false";
  settings["train.im_proj"] = options.im_proj ? "true" : "false";
  return settings;
}

/// Says when it is time to save, by updates and by minutes.
class SaveClock {
 public:
  explicit SaveClock(const TrainOptions& options)
      : steps_(options.save_every_steps), minutes_(options.save_every_minutes), saved_(Clock::now()) {}
  bool due(int64_t step) const {
    const std::chrono::duration<double, std::ratio<60>> passed = Clock::now() - saved_;
    return (steps_ > 0 && step % steps_ == 0) || (minutes_ > 0 && passed.count() >= minutes_);
  }
  void saved() { saved_ = Clock::now(); }

 private:
  using Clock = std::chrono::steady_clock;
  int64_t steps_;
  double minutes_;
  Clock::time_point saved_;
};

/// One training in this process.
class Run {
 public:
  Run(const TrainingParts& parts, const TrainOptions& options, TrainingSettings settings,
      const TrainingData& data, const TrainingObserver& observer)
      : parts_(parts),
        options_(options),
        data_(data),
        observer_(observer),
        files_(options),
        settings_(std::move(settings)),
        steps_per_epoch_(data.count() / options.batch_size),
        trainer_(*parts.decoder, parts.gaps, optimizer(), parts.precision),
        clock_(options) {}

  TrainingOutcome go(bool restart) {
    if (restart) {
      files_.remove_all();
    }
    if (auto progress = load_training_state(files_.state(), trainer_, settings_)) {
      progress_ = *progress;
      log(LogLevel::info, "{}: going on behind update {} of {}", files_.state().string(), progress_.step,
          total_steps());
    }
    if (!parts_.config.empty()) {
      write_file(files_.config(), parts_.config);
    }
    const bool finished = progress_.step >= total_steps() || train();
    TrainingOutcome outcome{finished, progress_.step, total_steps(), progress_.epochs, {}};
    if (!progress_.epochs.empty()) {
      outcome.checkpoint = files_.checkpoint(progress_.epochs.back().epoch);
    }
    return outcome;
  }

 private:
  int64_t total_steps() const { return options_.epochs * steps_per_epoch_; }

  OptimizerOptions optimizer() const {
    OptimizerOptions result;
    result.learning_rate = options_.lr;
    result.weight_decay = options_.weight_decay;
    result.form = optimizer_form(options_.optimizer);
    result.epsilon = epsilon_of(options_);
    result.warmup_steps = options_.warmup_steps;
    result.total_steps = total_steps();
    return result;
  }

  /// The updates that are left; false when a stop was asked for.
  bool train() {
    StepCurve curve(files_.steps(), progress_.step);
    std::optional<EventFile> events;
    if (options_.tensorboard) {
      events.emplace(files_.folder, progress_.step);
    }
    Progress bar("train", "updates", static_cast<uint64_t>(total_steps()));
    bar.start_at(static_cast<uint64_t>(progress_.step));
    const auto save = [&] {
      // The curve first: it must never be behind the state.
      curve.flush();
      if (events) {
        events->flush();
      }
      save_training_state(files_.state(), trainer_, progress_, settings_);
      clock_.saved();
    };
    while (progress_.step < total_steps()) {
      const int64_t epoch = progress_.step / steps_per_epoch_;
      begin_epoch(epoch);
      for (int64_t batch = progress_.step % steps_per_epoch_; batch < steps_per_epoch_; ++batch) {
        const int64_t step = progress_.step;
        const TrainStep values = update(batch, step);
        progress_.epoch_loss_sum += values.loss;
        progress_.epoch_accuracy_sum += values.accuracy;
        ++progress_.step;
        curve.add(step, epoch, values);
        if (events) {
          events->add(step, {{"loss", values.loss},
                             {"accuracy", values.accuracy},
                             {"learning_rate", values.learning_rate},
                             {"gradient_norm", values.gradient_norm}});
        }
        bar.note(fmt::format("epoch {} loss {:.3f}", epoch, values.loss));
        bar.advance();
        const bool last = batch + 1 == steps_per_epoch_;
        if (last) {
          end_epoch(epoch);
        }
        if (last || clock_.due(progress_.step)) {
          save();
        }
        if (observer_) {
          observer_(step, values);
        }
        if (interrupted() && progress_.step < total_steps()) {
          save();
          return false;
        }
      }
    }
    bar.finish();
    return true;
  }

  void begin_epoch(int64_t epoch) {
    at::Generator order = generator_for(options_.seed, Stream::order, epoch);
    order_ = at::randperm(data_.count(), order, at::TensorOptions(at::kLong));  // [N]
    sources_ = order_;
    if (options_.mix_captions) {
      at::Generator partners = generator_for(options_.seed, Stream::partners, epoch);
      sources_ = data_.random_partners(partners).index_select(0, order_);  // [N]
    }
  }

  TrainStep update(int64_t batch, int64_t step) {
    const int64_t size = options_.batch_size;
    const at::Tensor targets = order_.narrow(0, batch * size, size);    // [B]
    const at::Tensor sources = sources_.narrow(0, batch * size, size);  // [B]
    GeneratorSource noise(generator_for(options_.seed, Stream::noise, step));
    const at::Tensor features =
        trainer_.decoder_input(data_.features.index_select(0, sources), noise);  // [B,D]
    at::manual_seed(seed_for(options_.seed, Stream::dropout, step));
    TrainingBatch texts = data_.texts(targets);
    texts.features = features;
    return trainer_.step(std::move(texts), noise);
  }

  void end_epoch(int64_t epoch) {
    const auto batches = static_cast<double>(steps_per_epoch_);
    const EpochRecord record{epoch, progress_.epoch_loss_sum / batches,
                             progress_.epoch_accuracy_sum / batches};
    progress_.epochs.push_back(record);
    progress_.epoch_loss_sum = 0;
    progress_.epoch_accuracy_sum = 0;
    parts_.decoder->save(files_.checkpoint(epoch).string(), parts_.backbone->text_fingerprint());
    write_epoch_curve(files_.epochs(), progress_.epochs);
    log(LogLevel::info, "epoch {}: loss {:.4f}, accuracy {:.4f}; {}", epoch, record.loss, record.accuracy,
        files_.checkpoint(epoch).string());
  }

  const TrainingParts& parts_;
  const TrainOptions& options_;
  const TrainingData& data_;
  const TrainingObserver& observer_;
  Files files_;
  TrainingSettings settings_;
  int64_t steps_per_epoch_;
  TextTrainer trainer_;
  SaveClock clock_;
  TrainingProgress progress_;
  at::Tensor order_;    // [N] captions in this epoch's order
  at::Tensor sources_;  // [N] whose feature stands for each of them
};

void check_parts(const TrainingParts& parts) {
  const int64_t width = parts.backbone->dim();
  if (!parts.backbone->capabilities().text) {
    throw Error(ErrorKind::config, "the backbone has no text side; a decoder cannot be trained with it");
  }
  if (!parts.decoder->trainable()) {
    throw Error(ErrorKind::config, kNotTrainable);
  }
  if (parts.decoder->dim() != width) {
    throw Error(
        ErrorKind::config,
        "the decoder reads features of width {}, but the backbone's are {} wide; say {} where the "
        "decoder's sizes are (prefix_size of plain, fresh.dim of viecap and clipcap), or take weights "
        "that were trained with this backbone",
        parts.decoder->dim(), width, width);
  }
  for (const auto& gap : parts.gaps) {
    if (gap->dim() != 0 && gap->dim() != width) {
      throw Error(
          ErrorKind::config,
          "the gap reads features of width {}, but the backbone's are {} wide; its memory bank belongs "
          "to another backbone",
          gap->dim(), width);
    }
  }
}

}  // namespace

TrainingOutcome run_training(const TrainingParts& parts, const TrainOptions& options, bool restart,
                             const TrainingObserver& observer) {
  check_parts(parts);
  make_folder(options.output);
  const Files files(options);
  const FileLock lock(files.lock(),
                      "another training with this train.output and train.prefix is running; wait for it, or "
                      "give another prefix");
  remove_abandoned_files(options.output, options.prefix);
  // Encoding takes long: whatever would refuse the run afterwards is found before.
  TrainingCaptions captions = read_training_captions(*parts.decoder, options);
  const TrainingSettings settings = settings_of(parts, options, captions.digest);
  if (!restart) {
    check_training_state(files.state(), settings);
  }
  const std::optional<TrainingData> data = encode_training_captions(
      std::move(captions), *parts.backbone, parts.gaps, options, text_conditions(parts));
  if (!data) {
    return {};  // stopped while encoding
  }
  return Run(parts, options, settings, *data, observer).go(restart);
}

}  // namespace patchioner
