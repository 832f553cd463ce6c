#include "decoding/finite_rows.hpp"

#include <fmt/ranges.h>

#include <patchioner/error.hpp>

namespace patchioner {

std::vector<Caption> decode_finite_rows(const at::Tensor& features, int64_t dim, std::string_view plugin,
                                        const DecodeRows& decode) {
  if (!features.defined() || features.dim() != 2 || features.size(1) != dim) {
    throw Error(ErrorKind::data, "the decoder {} reads features of width {}, but was given {}", plugin, dim,
                features.defined() ? fmt::format("[{}]", fmt::join(features.sizes(), ",")) : "nothing");
  }
  std::vector<Caption> result(static_cast<size_t>(features.size(0)));
  const at::Tensor rows = at::isfinite(features).all(1).nonzero().squeeze(1);  // [r]
  if (rows.size(0) == 0) {
    return result;
  }
  std::vector<Caption> captions = decode(features.index_select(0, rows).to(at::kFloat), rows);
  const at::Tensor places = rows.to(at::kCPU).contiguous();
  for (size_t i = 0; i < captions.size(); ++i) {
    result[static_cast<size_t>(places.const_data_ptr<int64_t>()[i])] = std::move(captions[i]);
  }
  return result;
}

}  // namespace patchioner
