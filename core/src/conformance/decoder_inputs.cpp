#include "conformance/decoder_inputs.hpp"

#include <algorithm>
#include <cmath>

#include "conformance/made_inputs.hpp"
#include "conformance/plugin_calls.hpp"
#include "support/printable.hpp"

namespace patchioner {
namespace {

/// Whether two captions part at a token that was as good as its rival.
bool is_tie(const Caption& first, const Caption& second) {
  constexpr double kNearly = 1e-2;  // of a log-probability
  const size_t known = std::min({first.token_ids.size(), second.token_ids.size(),
                                 first.log_probabilities.size(), second.log_probabilities.size()});
  for (size_t i = 0; i < known; ++i) {
    if (first.token_ids[i] != second.token_ids[i]) {
      return std::abs(first.log_probabilities[i] - second.log_probabilities[i]) < kNearly;
    }
  }
  return false;
}

}  // namespace

std::vector<Caption> decoded(DecoderSubject& subject, const at::Tensor& features) {
  return decoded(subject.plugin(), subject.texts(), features);
}

std::vector<Caption> decoded(const Decoder& decoder, const Backbone& texts, const at::Tensor& features) {
  DecodeInput input;
  input.features = input.region_features = features;
  input.backbone = &texts;
  input.explain = true;
  std::vector<Caption> captions = called("decode", [&] { return decoder.decode(input); });
  if (captions.size() != static_cast<size_t>(features.size(0))) {
    throw CheckFailed("decode gives {} captions for {} features; one a row, in order", captions.size(),
                      features.size(0));
  }
  return captions;
}

void expect_same_captions(const std::vector<Caption>& first, const std::vector<Caption>& second,
                          std::string_view why) {
  for (size_t i = 0; i < std::min(first.size(), second.size()); ++i) {
    if (first[i].text != second[i].text && !is_tie(first[i], second[i])) {
      throw CheckFailed("caption {} is '{}' and '{}' {}", i + 1, printable(first[i].text),
                        printable(second[i].text), why);
    }
  }
}

}  // namespace patchioner
