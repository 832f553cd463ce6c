// Images of a case and backbones made for it.
#pragma once

#include <memory>
#include <patchioner/backbone.hpp>
#include <string>
#include <vector>

#include "verify/verify.hpp"

namespace patchioner {

/// The images named, read without applying an orientation and made into network input by `spec`: [B,3,S,S].
at::Tensor preprocess_images(const GoldenCase& golden, const std::vector<std::string>& names,
                             const ImageSpec& spec);

/// The options of a backbone that repeat a case's preprocessing.
Value::Map preprocessing_options(const nlohmann::json& preprocess);

/// Makes backbones of one plugin that differ in a few options, each once.
class CaseBackbones {
 public:
  /// `options` are what all of them share, the plugin's name included under "plugin".
  CaseBackbones(CaseHost& host, Value::Map options);

  /// The backbone with `changes` over the shared options.
  const Backbone& with(const Value::Map& changes = {});

 private:
  CaseHost& host_;
  Value options_;
  std::vector<std::pair<Value, std::shared_ptr<Backbone>>> made_;
};

/// Names of the case's expected tensors, from "expected" or "tensors", in the order of the file.
std::vector<std::string> expected_names(const GoldenCase& golden);

}  // namespace patchioner
