// What checks say about tensors that a plugin gave.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <patchioner/plugin.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchioner {

/// How plugins are checked.
struct CheckSettings {
  PluginContext context;  ///< that the plugin was made with
  int threads = 2;        ///< for the checks with several

  /// How much two results may differ that should be the same, relative to the largest of their numbers: sums
  /// in another order, which batches and threads have. In bfloat16 a number has 8 binary digits.
  double tolerance() const { return context.precision == at::kFloat ? 1e-3 : 5e-2; }
};

/// Fails the check unless the tensor is there, float32 and of that shape. `what` is "the patches".
void expect_tensor(const at::Tensor& tensor, at::IntArrayRef shape, std::string_view what);

/// Fails the check when a number is infinite or not a number, with its place.
void expect_finite(const at::Tensor& tensor, std::string_view what);

/// Fails the check unless both have the same shape and numbers that differ by less than `tolerance` times the
/// largest. `why` says what made the second one, behind the difference: "alone instead of beside another
/// image". NaN equals NaN.
void expect_same(const at::Tensor& first, const at::Tensor& second, double tolerance, std::string_view what,
                 std::string_view why);

/// "[2,3,8,8]"
std::string sizes_text(at::IntArrayRef sizes);

/// Notes what tensors hold, to see whether a plugin changes its input.
class Untouched {
 public:
  /// Undefined tensors are left out.
  explicit Untouched(std::vector<at::Tensor> tensors);

  /// Fails the check when one of them has changed since. `method` is whose input they were.
  void expect(std::string_view method) const;

 private:
  std::vector<std::pair<at::Tensor, at::Tensor>> copies_;
};

/// LibTorch's number of threads, until the object goes away.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : before_(at::get_num_threads()) { at::set_num_threads(threads); }
  ~ThreadCount() { at::set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

}  // namespace patchioner
