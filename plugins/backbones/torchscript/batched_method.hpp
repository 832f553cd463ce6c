// A method of an exported model on any number of rows: images or texts.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "script_model.hpp"

namespace patchioner {

/// [any-thread]
class BatchedMethod {
 public:
  /// Gives the method at most `batch` rows at once; 0: as many as come.
  BatchedMethod(ScriptMethod method, int64_t batch);

  /// What the method gives for all rows of `input` [N,...], N at least 1: its outputs, those of several calls
  /// one behind the other. When it is first given several rows, the last one is run alone as well. Throws an
  /// Error of kind data for a model that gives it something else then, since tracing may have fixed the
  /// number of rows without a word; and those of ScriptMethod::run.
  NamedTensors run(const at::Tensor& input) const;

  const std::string& description() const { return method_.description(); }

 private:
  NamedTensors run_part(const at::Tensor& input) const;
  void check_rows(const at::Tensor& input, const NamedTensors& together) const;
  ScriptMethod method_;
  int64_t batch_ = 0;
  std::shared_ptr<std::once_flag> checked_ = std::make_shared<std::once_flag>();
};

}  // namespace patchioner
