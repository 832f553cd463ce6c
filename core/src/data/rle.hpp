// COCO's run-length encoding of masks: column by column, the lengths of alternating runs of 0 and 1,
// beginning with 0; as numbers, or packed into a text whose format is COCO's own (pycocotools, maskApi).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace patchioner {

/// The run lengths in a packed text. Throws an Error of kind data for a character that does not belong to the
/// format, a text that ends within a number, and a negative length. `where` stands in front of messages.
std::vector<int64_t> unpack_run_lengths(std::string_view text, const std::string& where);

std::string pack_run_lengths(const std::vector<int64_t>& lengths);

/// The run lengths of [H,W] bool.
std::vector<int64_t> run_lengths_of(const at::Tensor& mask);

/// [H,W] bool. Throws an Error of kind data when the lengths do not add up to height * width.
at::Tensor mask_of_run_lengths(const std::vector<int64_t>& lengths, int64_t height, int64_t width,
                               const std::string& where);

}  // namespace patchioner
