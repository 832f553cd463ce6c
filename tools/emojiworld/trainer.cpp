#include "trainer.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <numbers>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "checkpoint/state_dict.hpp"
#include "random.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/progress.hpp"

namespace patchioner::emoji {
namespace {

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.98;
constexpr double kEpsilon = 1e-8;

bool ends_with_any(const std::string& name, std::initializer_list<const char*> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](const char* ending) { return name.ends_with(ending); });
}

/// AdamW over two groups: matrices with decay, vectors without.
class AdamW {
 public:
  explicit AdamW(const std::vector<std::pair<std::string, at::Tensor>>& parameters) {
    for (const auto& [name, value] : parameters) {
      if (!value.requires_grad()) {
        continue;
      }
      names_.push_back(name);
      values_.push_back(value);
      first_.push_back(at::zeros_like(value.detach()));
      second_.push_back(at::zeros_like(value.detach()));
    }
  }

  /// Returns the length of the whole gradient before clipping.
  double update(double rate, double decay, double clip_norm, int64_t step) {
    double square = 0;
    for (const at::Tensor& value : values_) {
      if (value.grad().defined()) {
        square += value.grad().square().sum().item<double>();
      }
    }
    const double length = std::sqrt(square);
    const double scale = length > clip_norm ? clip_norm / length : 1.0;
    for (const bool matrices : {true, false}) {
      group(rate, matrices ? decay : 0.0, scale, step, matrices);
    }
    return length;
  }

  void zero() {
    for (const at::Tensor& value : values_) {
      value.mutable_grad() = at::Tensor();
    }
  }

  void store(std::vector<std::pair<std::string, at::Tensor>>& out) const {
    for (size_t i = 0; i < names_.size(); ++i) {
      out.emplace_back("adam.first." + names_[i], first_[i]);
      out.emplace_back("adam.second." + names_[i], second_[i]);
    }
  }

  void restore(const StateDict& state) {
    for (size_t i = 0; i < names_.size(); ++i) {
      first_[i].copy_(state.tensor("adam.first." + names_[i]));
      second_[i].copy_(state.tensor("adam.second." + names_[i]));
    }
  }

 private:
  void group(double rate, double decay, double scale, int64_t step, bool matrices) {
    std::vector<at::Tensor> values;
    std::vector<at::Tensor> gradients;
    std::vector<at::Tensor> first;
    std::vector<at::Tensor> second;
    std::vector<at::Tensor> steps;
    for (size_t i = 0; i < values_.size(); ++i) {
      if ((values_[i].dim() >= 2) != matrices || !values_[i].grad().defined()) {
        continue;
      }
      values.push_back(values_[i]);
      gradients.push_back(values_[i].grad().mul(scale));
      first.push_back(first_[i]);
      second.push_back(second_[i]);
      // The operator wants the number of updates done, this one included.
      steps.push_back(at::scalar_tensor(static_cast<double>(step + 1), at::kFloat));
    }
    if (!values.empty()) {
      const at::NoGradGuard no_gradients;
      at::_fused_adamw_(values, gradients, first, second, {}, steps, rate, kBeta1, kBeta2, decay, kEpsilon,
                        false, false);
    }
  }

  std::vector<std::string> names_;
  std::vector<at::Tensor> values_;
  std::vector<at::Tensor> first_;
  std::vector<at::Tensor> second_;
};

std::filesystem::path state_path(const TrainingPlan& plan) {
  return plan.folder / (plan.name + ".state");
}

void save_state(const TrainingPlan& plan, const Parameters& parameters, const AdamW& optimizer, int64_t steps,
                double minutes) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [name, value] : parameters.all()) {
    tensors.emplace_back("value." + name, value.detach());
  }
  optimizer.store(tensors);
  write_safetensors(state_path(plan), tensors,
                    {{"steps", std::to_string(steps)},
                     {"minutes", fmt::format("{:.3f}", minutes)},
                     {"inputs", plan.inputs}});
}

double minutes_of(const TrainingPlan& plan) {
  const StateDict state = StateDict::open(state_path(plan));
  return std::stod(state.metadata().at("minutes"));
}

double rate_at(const TrainingPlan& plan, int64_t step) {
  if (step < plan.warmup) {
    return plan.learning_rate * static_cast<double>(step + 1) / static_cast<double>(plan.warmup);
  }
  const double done = static_cast<double>(step - plan.warmup) /
                      static_cast<double>(std::max<int64_t>(1, plan.steps - plan.warmup));
  return plan.learning_rate * (0.02 + 0.98 * 0.5 * (1 + std::cos(std::numbers::pi * done)));
}

/// The loss curve, cut back to the steps that the state file has done.
class Curve {
 public:
  Curve(const TrainingPlan& plan, int64_t steps) : path_(plan.folder / (plan.name + ".csv")) {
    std::string kept = "step,minutes,rate,gradient";
    for (const std::string& column : plan.columns) {
      kept += "," + column;
    }
    kept += "\n";
    std::ifstream old(path_);
    std::string line;
    std::getline(old, line);
    while (steps > 0 && std::getline(old, line) && std::stoll(line) < steps) {
      kept += line + "\n";
    }
    old.close();
    write_file(path_, kept);
    file_.open(path_, std::ios::app);
  }
  void add(int64_t step, double minutes, double rate, double gradient, const std::vector<double>& numbers) {
    file_ << fmt::format("{},{:.2f},{:.6f},{:.3f}", step, minutes, rate, gradient);
    for (const double number : numbers) {
      file_ << fmt::format(",{:.5f}", number);
    }
    file_ << '\n' << std::flush;
  }

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace

at::Tensor Parameters::initial(const std::string& name, const std::vector<int64_t>& shape) const {
  if (ends_with_any(name, {"bias"})) {
    return at::zeros(shape);
  }
  const bool norm = shape.size() == 1 && name.ends_with("weight");
  if (norm || name.ends_with("gamma")) {
    return at::ones(shape);
  }
  uint64_t key = 0;
  for (const char letter : name) {
    key = Random::mix(key ^ static_cast<uint64_t>(letter));
  }
  Random random({seed_, key});
  at::Tensor value = at::empty(shape);
  float* data = value.data_ptr<float>();
  for (int64_t i = 0; i < value.numel(); ++i) {
    data[i] = static_cast<float>(0.02 * random.normal());
  }
  return value;
}

at::Tensor Parameters::get(const std::string& name, const std::vector<int64_t>& shape) {
  const auto found = index_.find(name);
  if (found != index_.end()) {
    const at::Tensor& value = all_[found->second].second;
    if (value.sizes() != at::IntArrayRef(shape)) {
      throw Error(ErrorKind::internal, "parameter '{}' was asked for with two shapes", name);
    }
    return value;
  }
  index_[name] = all_.size();
  all_.emplace_back(name, initial(name, shape).set_requires_grad(true));
  return all_.back().second;
}

at::Tensor Parameters::buffer(const std::string& name, const at::Tensor& initial) {
  if (!index_.contains(name)) {
    index_[name] = all_.size();
    all_.emplace_back(name, initial.clone());
  }
  return all_[index_.at(name)].second.set_requires_grad(false);
}

void Parameters::set(const std::string& name, const at::Tensor& value) {
  const at::NoGradGuard no_gradients;
  get(name, value.sizes().vec()).copy_(value);
}

std::vector<std::pair<std::string, at::Tensor>> Parameters::without(const std::string& prefix) const {
  std::vector<std::pair<std::string, at::Tensor>> kept;
  for (const auto& [name, value] : all_) {
    if (!name.starts_with(prefix)) {
      kept.emplace_back(name, value.detach());
    }
  }
  return kept;
}

std::vector<std::pair<std::string, at::Tensor>> renamed(const Parameters& parameters,
                                                        const std::string& prefix, const std::string& other) {
  std::vector<std::pair<std::string, at::Tensor>> kept;
  for (const auto& [name, value] : parameters.all()) {
    if (name.starts_with(prefix)) {
      kept.emplace_back(other + name.substr(prefix.size()), value.detach());
    }
  }
  return kept;
}

int64_t load_state(const TrainingPlan& plan, Parameters& parameters) {
  if (!std::filesystem::exists(state_path(plan))) {
    return 0;
  }
  const StateDict state = StateDict::open(state_path(plan));
  if (!plan.inputs.empty() && state.metadata().at("inputs") != plan.inputs) {
    throw Error(
        ErrorKind::data,
        "{}: belongs to another recipe or to other input files; remove it to train anew, or bring these back",
        state_path(plan).string());
  }
  const StateDict values = state.with_prefix("value.");
  for (const std::string& name : values.names()) {
    parameters.set(name, values.tensor(name));
  }
  return std::stoll(state.metadata().at("steps"));
}

bool run_training(const TrainingPlan& plan, Parameters& parameters,
                  const std::function<StepResult(int64_t)>& step, const std::function<void()>& after_save) {
  std::filesystem::create_directories(plan.folder);
  const int64_t done = load_state(plan, parameters);
  AdamW optimizer(parameters.all());
  double minutes_before = 0;
  if (done > 0) {
    optimizer.restore(StateDict::open(state_path(plan)));
    minutes_before = minutes_of(plan);
  }
  if (done >= plan.steps) {
    log(LogLevel::info, "{}: all {} steps are done", plan.name, plan.steps);
    return true;
  }
  Curve curve(plan, done);
  Progress progress(plan.name, "steps", static_cast<uint64_t>(plan.steps));
  progress.start_at(static_cast<uint64_t>(done));
  const auto started = std::chrono::steady_clock::now();
  const auto minutes = [&] {
    return minutes_before +
           std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count() / 60;
  };
  for (int64_t i = done; i < plan.steps; ++i) {
    const StepResult result = step(i);
    result.loss.backward();
    const double length = optimizer.update(rate_at(plan, i), plan.weight_decay, plan.clip_norm, i);
    optimizer.zero();
    curve.add(i, minutes(), rate_at(plan, i), length, result.numbers);
    std::string note;
    for (size_t c = 0; c < plan.columns.size(); ++c) {
      note += fmt::format("{}{} {:.3f}", c == 0 ? "" : ", ", plan.columns[c], result.numbers[c]);
    }
    progress.note(note);
    progress.advance();
    if ((i + 1) % plan.save_every == 0 || i + 1 == plan.steps || interrupted()) {
      save_state(plan, parameters, optimizer, i + 1, minutes());
      if (after_save) {
        after_save();
      }
      if (interrupted()) {
        return i + 1 == plan.steps;
      }
    }
  }
  progress.finish();
  return true;
}

}  // namespace patchioner::emoji
