// What the checks of decoders share: captions of features, and captions held against one another.
#pragma once

#include <string_view>
#include <vector>

#include "conformance/decoder_checks.hpp"

namespace patchioner {

/// Captions of these features, explained. Whatever decode throws fails the check.
std::vector<Caption> decoded(DecoderSubject& subject, const at::Tensor& features);

/// The same by another decoder than the one that is checked.
std::vector<Caption> decoded(const Decoder& decoder, const Backbone& texts, const at::Tensor& features);

/// Fails the check unless the captions are the same. `why` is what made the second ones differ, behind the
/// texts: "alone instead of beside others". Captions count as the same whose words part where both had nearly
/// the same log-probability: there, rounding decides.
void expect_same_captions(const std::vector<Caption>& first, const std::vector<Caption>& second,
                          std::string_view why);

}  // namespace patchioner
