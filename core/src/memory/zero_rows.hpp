// Rows of a bank that were reserved and never written are zero; they are left out.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace patchioner {

/// For each row of [M,D] float32 whether it holds anything but zeros (a NaN is not zero).
std::vector<bool> filled_rows(const at::Tensor& embeddings);

/// The rows that are marked; shares memory when these are the first ones.
at::Tensor select_rows(const at::Tensor& embeddings, const std::vector<bool>& marked);

}  // namespace patchioner
