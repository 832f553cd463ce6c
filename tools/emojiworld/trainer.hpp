// What every training here shares: named parameters, AdamW with a cosine schedule, a state file from which a
// training that was cut off goes on exactly, and a loss curve as CSV.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nn/weights.hpp"

namespace patchioner::emoji {

/// Parameters by checkpoint name, made when a block first asks for them.
class Parameters {
 public:
  explicit Parameters(uint64_t seed) : seed_(seed) {}

  /// The parameter of that name, initialised on first asking: gains and scales to 1, biases to 0, everything
  /// else to N(0, 0.02).
  at::Tensor get(const std::string& name, const std::vector<int64_t>& shape);
  WeightSource source() {
    return [this](const std::string& name, const std::vector<int64_t>& shape) { return get(name, shape); };
  }

  /// A tensor that is kept with the parameters but not trained: `initial` on first asking.
  at::Tensor buffer(const std::string& name, const at::Tensor& initial);

  /// Overwrites the values of a parameter that exists or will be asked for.
  void set(const std::string& name, const at::Tensor& value);

  const std::vector<std::pair<std::string, at::Tensor>>& all() const { return all_; }
  /// Those whose names do not begin with `prefix`, detached.
  std::vector<std::pair<std::string, at::Tensor>> without(const std::string& prefix) const;

 private:
  at::Tensor initial(const std::string& name, const std::vector<int64_t>& shape) const;
  uint64_t seed_;
  std::vector<std::pair<std::string, at::Tensor>> all_;
  std::map<std::string, size_t> index_;
};

struct TrainingPlan {
  std::string name;  ///< of the files: <folder>/<name>.state, <name>.csv
  std::filesystem::path folder;
  std::string
      inputs;  ///< digest of what decides the outcome: recipe and files; a state of other inputs is refused
  int64_t steps = 0;
  double learning_rate = 1e-3;
  int64_t warmup = 100;              ///< steps of linear warm-up
  double weight_decay = 0.05;        ///< of matrices only
  double clip_norm = 1.0;            ///< of all gradients together
  int64_t save_every = 100;          ///< steps
  std::vector<std::string> columns;  ///< what a step reports, for the CSV
};

/// What one step gives back: the loss to descend, and the numbers for the CSV (one a column).
struct StepResult {
  at::Tensor loss;
  std::vector<double> numbers;
};

/// Those whose names begin with `prefix`, with `other` in its place, detached.
std::vector<std::pair<std::string, at::Tensor>> renamed(const Parameters& parameters,
                                                        const std::string& prefix, const std::string& other);

/// Runs the steps that are left; true when the plan is finished, false when it was interrupted (its state is
/// saved). `step` computes the loss of a step; `after_save` is called whenever the state was written.
bool run_training(const TrainingPlan& plan, Parameters& parameters,
                  const std::function<StepResult(int64_t)>& step,
                  const std::function<void()>& after_save = {});

/// How many steps the state file of a plan has done; 0 without one. Reads the parameters when there is one.
/// Throws an Error of kind data when it was made from other inputs than the plan's (unless these are empty).
int64_t load_state(const TrainingPlan& plan, Parameters& parameters);

}  // namespace patchioner::emoji
