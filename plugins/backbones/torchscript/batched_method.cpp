#include "batched_method.hpp"

#include <ATen/core/grad_mode.h>

#include <patchioner/error.hpp>

namespace patchioner {
namespace {

// Rounding makes a row's features differ by a millionth in float32 and by a hundredth in bfloat16; another
// image's or another text's differ by tenths.
constexpr double kMostDifference = 0.05;

NamedTensors joined(const std::vector<NamedTensors>& parts) {
  NamedTensors all = parts.front();
  for (size_t i = 0; i < all.size() && parts.size() > 1; ++i) {
    std::vector<at::Tensor> tensors;
    for (const NamedTensors& part : parts) {
      tensors.push_back(part.at(i).second);
    }
    all[i].second = tensors.front().dim() > 0 ? at::cat(tensors) : tensors.front();
  }
  return all;
}

/// Whether two rows of features are the same but for rounding. Numbers that are no numbers are as others are:
/// whoever reads the output refuses them.
bool is_same_row(const at::Tensor& row, const at::Tensor& alone) {
  const at::Tensor equal = (row == alone).logical_or(row.isnan().logical_and(alone.isnan()));
  const at::Tensor apart = (row - alone).masked_fill(equal, 0);
  const at::Tensor size = alone.masked_fill(alone.isfinite().logical_not(), 0).norm();
  return apart.norm().item<double>() <= kMostDifference * size.item<double>();
}

}  // namespace

BatchedMethod::BatchedMethod(ScriptMethod method, int64_t batch)
    : method_(std::move(method)), batch_(batch) {}

NamedTensors BatchedMethod::run(const at::Tensor& input) const {
  const int64_t rows = input.size(0);
  const int64_t together = batch_ > 0 ? batch_ : rows;
  std::vector<NamedTensors> parts;
  for (int64_t start = 0; start < rows; start += together) {
    parts.push_back(run_part(input.slice(0, start, std::min(rows, start + together))));
  }
  return joined(parts);
}

NamedTensors BatchedMethod::run_part(const at::Tensor& input) const {
  NamedTensors outputs = method_.run(input);
  if (input.size(0) > 1) {
    std::call_once(*checked_, [&] { check_rows(input, outputs); });
  }
  return outputs;
}

void BatchedMethod::check_rows(const at::Tensor& input, const NamedTensors& together) const {
  const at::NoGradGuard no_gradients;
  const int64_t rows = input.size(0);
  const NamedTensors alone = method_.run(input.slice(0, rows - 1));
  for (size_t i = 0; i < together.size() && i < alone.size(); ++i) {
    const auto& [name, tensor] = together[i];
    const at::Tensor& single = alone[i].second;
    const bool has_rows = tensor.dim() > 1 && tensor.size(0) == rows && tensor.is_floating_point() &&
                          single.dim() == tensor.dim() && single.size(0) == 1;
    // Shapes that do not fit are refused where the output is used.
    if (has_rows && tensor[rows - 1].sizes() == single[0].sizes() &&
        !is_same_row(tensor[rows - 1].to(at::kFloat), single[0].to(at::kFloat))) {
      throw Error(ErrorKind::data,
                  "{} gives a row of '{}' other values among {} rows than alone; set `batch: 1` if it was "
                  "traced for a single one, or export it anew with an example of two rows",
                  description(), name, rows);
    }
  }
}

}  // namespace patchioner
