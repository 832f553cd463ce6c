#include "proxy_attention.hpp"

#include <algorithm>
#include <limits>

namespace patchioner {
namespace {

// Of 1369 columns these rows take 1.4 MB: what is done to them one after the other stays in a core's cache.
constexpr int64_t kRowsAtOnce = 256;

}  // namespace

at::Tensor mean_similarity(const at::Tensor& unit) {
  // In double, since beta * mean decides which entries are looked at at all.
  return unit.mean(1, false, at::kDouble).square_().sum(-1).to(at::kFloat);  // [B]
}

at::Tensor attention_rows(const at::Tensor& unit, const at::Tensor& mean, const ProxyAttention& attention,
                          int64_t first, int64_t end) {
  at::Tensor shifted =
      at::mm(unit.slice(0, first, end), unit.t()).sub_(mean * attention.beta).mul_(attention.gamma);  // [m,M]
  const at::Tensor none_left = shifted.amax(-1, true).lt(0.0);                                        // [m,1]
  const at::Tensor dropped = shifted.lt(0.0) & ~none_left;                                            // [m,M]
  shifted.masked_fill_(dropped, -std::numeric_limits<double>::infinity());
  return at::softmax(shifted, -1);  // [m,M]
}

at::Tensor mix_values(const at::Tensor& unit, const at::Tensor& mean, const ProxyAttention& attention,
                      const at::Tensor& values) {
  const int64_t rows = unit.size(0);
  at::Tensor mixed = at::empty_like(values);  // [M,W]
  for (int64_t first = 0; first < rows; first += kRowsAtOnce) {
    const int64_t end = std::min(rows, first + kRowsAtOnce);
    at::Tensor part = mixed.slice(0, first, end);  // [m,W]
    at::mm_out(part, attention_rows(unit, mean, attention, first, end), values);
  }
  return mixed;
}

}  // namespace patchioner
