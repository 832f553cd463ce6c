// Dropout whose mask is filled by all threads. LibTorch draws its masks one number after the other unless the
// processor is Intel's, which took a tenth of a training step of a small decoder.
#pragma once

#include <ATen/ATen.h>

namespace patchioner {

/// Each number of `x` (floating point) is replaced by 0 with probability `rate` (0 <= rate < 1), and divided
/// by 1 - rate otherwise; differentiable. On the processor the mask follows from one draw of LibTorch's
/// default generator, whatever the number of threads; a GPU draws its own masks from its default generator.
/// With rate 0 `x` itself comes back and nothing is drawn.
at::Tensor dropout(const at::Tensor& x, double rate);

}  // namespace patchioner
