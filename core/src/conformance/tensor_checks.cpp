#include "conformance/tensor_checks.hpp"

#include <fmt/ranges.h>

#include "conformance/check.hpp"

namespace patchioner {
namespace {

/// "[0,2,7]": the place of a number in a tensor of these sizes.
std::string place_text(int64_t index, at::IntArrayRef sizes) {
  std::vector<int64_t> place(sizes.size());
  for (size_t axis = sizes.size(); axis-- > 0;) {
    place[axis] = index % sizes[axis];
    index /= sizes[axis];
  }
  return fmt::format("[{}]", fmt::join(place, ","));
}

at::Tensor comparable(const at::Tensor& tensor) {
  return tensor.detach().to(at::kCPU, at::kDouble).contiguous();
}

}  // namespace

std::string sizes_text(at::IntArrayRef sizes) {
  return fmt::format("[{}]", fmt::join(sizes, ","));
}

void expect_tensor(const at::Tensor& tensor, at::IntArrayRef shape, std::string_view what) {
  if (!tensor.defined()) {
    throw CheckFailed("{} are an undefined tensor; expected {} float32", what, sizes_text(shape));
  }
  if (tensor.sizes() != shape) {
    throw CheckFailed("{} have the shape {}; expected {}", what, sizes_text(tensor.sizes()),
                      sizes_text(shape));
  }
  if (tensor.scalar_type() != at::kFloat) {
    throw CheckFailed("{} are of type {}; every interface is float32, whatever the plugin computes in", what,
                      at::toString(tensor.scalar_type()));
  }
}

void expect_finite(const at::Tensor& tensor, std::string_view what) {
  const at::Tensor numbers = comparable(tensor);
  const at::Tensor bad = at::isfinite(numbers).logical_not().flatten().nonzero();  // [K,1]
  if (bad.size(0) == 0) {
    return;
  }
  const int64_t first = bad[0][0].item<int64_t>();
  throw CheckFailed("{} hold {} at {}: {}", what,
                    bad.size(0) == 1 ? "a number that is not finite"
                                     : fmt::format("{} numbers that are not finite, the first", bad.size(0)),
                    place_text(first, numbers.sizes()), numbers.flatten()[first].item<double>());
}

void expect_same(const at::Tensor& first, const at::Tensor& second, double tolerance, std::string_view what,
                 std::string_view why) {
  if (first.defined() != second.defined()) {
    throw CheckFailed("{} are {} {}", what, second.defined() ? "there only" : "gone", why);
  }
  if (!first.defined()) {
    return;
  }
  if (first.sizes() != second.sizes()) {
    throw CheckFailed("{} have the shape {} and {} {}", what, sizes_text(first.sizes()),
                      sizes_text(second.sizes()), why);
  }
  if (first.numel() == 0) {
    return;
  }
  const at::Tensor a = comparable(first).flatten();
  const at::Tensor b = comparable(second).flatten();
  const at::Tensor equal = a.eq(b).logical_or(a.isnan().logical_and(b.isnan()));
  const at::Tensor difference =
      at::where(equal, at::zeros_like(a), (a - b).abs().nan_to_num(/*nan=*/INFINITY));
  const int64_t worst = difference.argmax().item<int64_t>();
  const double largest =
      at::maximum(a.abs(), b.abs()).nan_to_num(/*nan=*/0, /*posinf=*/0, /*neginf=*/0).max().item<double>();
  if (difference[worst].item<double>() <= tolerance * largest) {
    return;
  }
  throw CheckFailed("{} are {:.6g} and {:.6g} at {} {}, and may differ by {:.2g}", what,
                    a[worst].item<double>(), b[worst].item<double>(), place_text(worst, first.sizes()), why,
                    tolerance * largest);
}

Untouched::Untouched(std::vector<at::Tensor> tensors) {
  for (at::Tensor& tensor : tensors) {
    if (tensor.defined()) {
      const at::Tensor copy = tensor.clone();
      copies_.emplace_back(std::move(tensor), copy);
    }
  }
}

void Untouched::expect(std::string_view method) const {
  for (const auto& [tensor, copy] : copies_) {
    const bool same = tensor.sizes() == copy.sizes() && tensor.scalar_type() == copy.scalar_type() &&
                      at::where(tensor.isnan(), copy.isnan(), tensor.eq(copy)).all().item<bool>();
    if (!same) {
      throw CheckFailed("{} changed its input, a tensor {}, in place; work on a copy", method,
                        sizes_text(copy.sizes()));
    }
  }
}

}  // namespace patchioner
