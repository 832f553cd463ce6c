// Attention by the likeness of a proxy's features (spec/03 section 5, steps 4 and 5).
#pragma once

#include <ATen/ATen.h>

namespace patchioner {

/// a = (s - beta * mean(s)) * gamma of the cosine similarities s; each row is the softmax of its entries that
/// are not negative, and of all of them where there is none.
struct ProxyAttention {
  double beta = 1.2;
  double gamma = 3.0;
};

/// The mean of all M x M cosine similarities of each image: unit features [B,M,C] -> [B]. It is the square of
/// the length of their mean, so that the similarities themselves are not needed.
at::Tensor mean_similarity(const at::Tensor& unit);

/// Rows `first` to `end` of the attention of one image, [m,M]: unit features [M,C], their mean similarity (no
/// axes).
at::Tensor attention_rows(const at::Tensor& unit, const at::Tensor& mean, const ProxyAttention& attention,
                          int64_t first, int64_t end);

/// The attention's mixture of values [M,W] -> [M,W]. Rows are computed a few at a time, so that the M x M
/// matrix never exists as a whole.
at::Tensor mix_values(const at::Tensor& unit, const at::Tensor& mean, const ProxyAttention& attention,
                      const at::Tensor& values);

}  // namespace patchioner
