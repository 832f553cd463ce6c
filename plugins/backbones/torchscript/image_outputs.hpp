// What a model gives for images, made into what a backbone hands out: which output is what, and how it is
// laid out.
#pragma once

#include <patchioner/backbone.hpp>
#include <string>

#include "script_model.hpp"
#include "torchscript_options.hpp"

namespace patchioner {

/// The name of the output that an option chooses: a place in a tuple, a key, or "" where it is unset. Throws
/// an Error of kind config for anything else.
std::string output_name(const Value& choice, const std::string& option);

/// The output of that name, or the only one for "". Throws an Error of kind data that lists the outputs there
/// are; `option` is what names it and `source` what gave them, for messages.
const at::Tensor& chosen_output(const NamedTensors& outputs, const std::string& name,
                                const std::string& option, const std::string& source);

/// Reads the outputs of an image model by its description. Errors of its functions are of kind data, and name
/// the output, the shape that it has, the shape that was expected, and the option to change. [any-thread]
class ImageOutputs {
 public:
  /// `source` is the method that gives the outputs, for messages. Throws an Error of kind config for options
  /// that contradict each other.
  ImageOutputs(TorchScriptOptions options, std::string source);

  bool has_global() const;
  bool has_attention() const { return !attention_.empty(); }

  /// Patches on a side of the square grid that it gives for one square image.
  int64_t side(const NamedTensors& outputs) const;

  /// Features of `images` images, float32, on the device of the outputs; a grid of rows x columns is
  /// expected.
  ImageFeatures features(const NamedTensors& outputs, int64_t images, int64_t rows, int64_t columns) const;

 private:
  struct Named;
  Named output(const NamedTensors& outputs, const std::string& name, const char* option) const;
  Named patches_output(const NamedTensors& outputs) const;
  at::Tensor patches(const Named& output, int64_t rows, int64_t columns) const;
  at::Tensor tokens_as_grid(const Named& output, int64_t rows, int64_t columns) const;
  at::Tensor global(const NamedTensors& outputs, const Named& patches) const;
  at::Tensor attention(const NamedTensors& outputs, int64_t images, int64_t rows, int64_t columns) const;
  at::Tensor attention_logits(const Named& output, int64_t rows, int64_t columns) const;

  TorchScriptOptions options_;
  std::string source_;
  std::string patches_;
  std::string global_;
  std::string attention_;
};

}  // namespace patchioner
