// An exported model: a TorchScript archive that is opened and whose methods are run. Running the code that
// lies in a model's file happens here and nowhere else in the project.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace patchioner {

/// The tensors of what a method gave, in its order. A single one is called "output"; one of a tuple or list
/// has its place ("1"), one of a dict its key, and deeper ones both ("hidden.3").
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// A method of a model that takes one tensor. [any-thread]
class ScriptMethod {
 public:
  /// What it gives for a copy of `input` on the model's device, a floating-point one in the model's
  /// precision; without gradients. Calls of a method that writes to its object's attributes come one after
  /// the other. Throws an Error of kind data when the model's code fails, and when it gives something that is
  /// no tensor.
  NamedTensors run(const at::Tensor& input) const;

  /// "encode_image of vit.pt", for messages.
  const std::string& description() const;

 private:
  friend class ScriptModel;
  struct State;
  std::shared_ptr<const State> state_;
};

/// An opened archive. Cheap to copy.
class ScriptModel {
 public:
  /// Reads weights and code, puts the weights on `device` and those that are floating-point into `precision`
  /// (unset: as they are stored), and turns training off. `option` is what names the file, for messages.
  /// Throws Error: io when the file cannot be read; checkpoint, in a sentence that says what it is and how to
  /// export one, when it is no TorchScript archive or one that this LibTorch cannot open.
  ScriptModel(const std::filesystem::path& file, const std::string& option, at::Device device,
              std::optional<at::ScalarType> precision);

  /// A method that is called with one tensor; `option` is what names it, `input` what it is to be given
  /// ("images"). Throws an Error of kind config that lists the methods there are, or that says what it wants
  /// instead.
  ScriptMethod method(const std::string& name, const std::string& option, const std::string& input) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace patchioner
