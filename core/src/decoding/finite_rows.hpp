// What decoders of a row of features a caption have in common: which rows they are asked of.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <patchioner/decoder.hpp>
#include <string_view>
#include <vector>

namespace patchioner {

/// Captions of features [r,D] float32, all of them finite, that stand in the rows [r] of those that the
/// decoder was given; one a row.
using DecodeRows = std::function<std::vector<Caption>(const at::Tensor& features, const at::Tensor& rows)>;

/// One caption a row of features [R,D]: what `decode` gives, which is called once for all rows whose values
/// are finite, if any; the others get an empty caption. Throws an Error of kind data, which names the plugin,
/// for features that are not `dim` wide.
std::vector<Caption> decode_finite_rows(const at::Tensor& features, int64_t dim, std::string_view plugin,
                                        const DecodeRows& decode);

}  // namespace patchioner
