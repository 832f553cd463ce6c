// What gap.hpp promises of every treatment of the modality gap.
#pragma once

#include <memory>
#include <patchioner/gap.hpp>
#include <span>

#include "conformance/check.hpp"
#include "conformance/tensor_checks.hpp"

namespace patchioner {

/// A gap that is checked. What several checks look at is computed once.
class GapSubject {
 public:
  GapSubject(std::shared_ptr<const Gap> gap, Another<Gap> another, CheckSettings settings)
      : settings(settings), another(std::move(another)), gap_(std::move(gap)) {}

  const Gap& plugin() const { return *gap_; }
  const CheckSettings settings;
  const Another<Gap> another;

  /// Features [6,D] as an aggregation gives them, of other lengths than 1, on the gap's device.
  const at::Tensor& features();

  /// What `to_text_space` makes of them, of the right shape. When it does not work, the first check that asks
  /// for it fails, those behind are skipped.
  const at::Tensor& mapped();

 private:
  std::shared_ptr<const Gap> gap_;
  at::Tensor features_, mapped_;
  bool failed_ = false;
};

std::span<const CheckOf<GapSubject>> gap_checks();

}  // namespace patchioner
