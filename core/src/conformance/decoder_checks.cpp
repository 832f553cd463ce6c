#include "conformance/decoder_checks.hpp"

#include <cmath>

#include "conformance/decoder_inputs.hpp"
#include "conformance/made_inputs.hpp"
#include "conformance/plugin_calls.hpp"
#include "support/printable.hpp"
#include "support/utf8.hpp"

namespace patchioner {
namespace {

using Subject = DecoderSubject;

constexpr size_t kCallers = 2;

std::string states_its_width(Subject& subject) {
  const int64_t dim = subject.width();
  const auto fingerprint = [&] {
    return called("text_fingerprint", [&] { return subject.plugin().text_fingerprint(); });
  };
  if (dim != subject.width() || fingerprint() != fingerprint()) {
    throw CheckFailed("dim() or text_fingerprint() gives another answer the second time");
  }
  return fmt::format("width {}", dim);
}

std::string decodes(Subject& subject) {
  const std::vector<Caption>& captions = subject.captions();
  constexpr size_t kShown = 60;  // bytes
  const std::string& first = captions.front().text;
  return fmt::format("'{}'{}", printable(well_formed_utf8(first.substr(0, kShown))),
                     first.size() > kShown ? "..." : "");
}

std::string writes_clean_texts(Subject& subject) {
  for (const Caption& caption : subject.captions()) {
    for (const auto& [text, field] :
         {std::pair(caption.text, "text"), std::pair(caption.raw_text, "raw_text")}) {
      if (const size_t place = first_ill_formed_utf8(text); place != std::string::npos) {
        throw CheckFailed("the {} of a caption is no UTF-8 from byte {} on: '{}'", field, place,
                          printable(well_formed_utf8(text)));
      }
    }
    const auto is_edge = [](char c) { return c == ' ' || c == '.'; };
    if (!caption.text.empty() && (is_edge(caption.text.front()) || is_edge(caption.text.back()))) {
      throw CheckFailed(
          "the caption '{}' begins or ends with a space or a full stop; Caption::text is "
          "stripped of both, Caption::raw_text is not",
          printable(caption.text));
    }
    if (!std::isfinite(caption.score)) {
      throw CheckFailed("the score of '{}' is {}", printable(caption.text), caption.score);
    }
  }
  return "";
}

std::string gives_log_probabilities(Subject& subject) {
  bool any = false;
  for (const Caption& caption : subject.captions()) {
    const std::string text = printable(caption.text);
    if (caption.log_probabilities.size() != caption.token_ids.size()) {
      throw CheckFailed("'{}' has {} log-probabilities for {} token ids; one for each generated id", text,
                        caption.log_probabilities.size(), caption.token_ids.size());
    }
    if (!caption.tokens.empty() && caption.tokens.size() != caption.token_ids.size()) {
      throw CheckFailed("'{}' has {} tokens for {} token ids; the same as text pieces", text,
                        caption.tokens.size(), caption.token_ids.size());
    }
    constexpr double kRounding = 1e-4;
    for (const double value : caption.log_probabilities) {
      any = true;
      if (!(value <= kRounding) || !std::isfinite(value)) {
        throw CheckFailed("'{}' has a log-probability of {}; they are finite and at most 0", text, value);
      }
    }
  }
  return any ? "" : "it gives none";
}

std::string decodes_without_explaining(Subject& subject) {
  const std::vector<Caption>& explained = subject.captions();
  DecodeInput input;
  input.features = input.region_features = subject.features();
  input.backbone = &subject.texts();
  const std::vector<Caption> plain = called("decode", [&] { return subject.plugin().decode(input); });
  if (plain.size() != explained.size()) {
    throw CheckFailed("decode gives {} captions, and {} when asked to explain", plain.size(),
                      explained.size());
  }
  for (size_t i = 0; i < plain.size(); ++i) {
    if (plain[i].text != explained[i].text) {
      throw CheckFailed("caption {} is '{}', and '{}' when asked to explain", i + 1, printable(plain[i].text),
                        printable(explained[i].text));
    }
  }
  return "";
}

std::string decodes_no_features(Subject& subject) {
  (void)decoded(subject, subject.features().slice(0, 0, 0));
  return "";
}

std::string decodes_batches_as_singles(Subject& subject) {
  const std::vector<Caption>& together = subject.captions();
  for (size_t i = 0; i < together.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    expect_same_captions({together[i]}, decoded(subject, subject.features().slice(0, row, row + 1)),
                         "alone instead of beside others");
  }
  return "";
}

std::string decodes_the_same_again(Subject& subject) {
  const std::vector<Caption>& first = subject.captions();
  expect_same_captions(first, decoded(subject, subject.features()), "in a second call");
  return "";
}

std::string decodes_with_any_threads(Subject& subject) {
  (void)subject.captions();
  const auto with = [&](int threads) {
    const ThreadCount count(threads);
    return decoded(subject, subject.features());
  };
  const std::vector<Caption> one = with(1);
  expect_same_captions(one, with(subject.settings.threads),
                       fmt::format("with {} threads instead of 1", subject.settings.threads));
  return "";
}

std::string decodes_at_once(Subject& subject) {
  const std::vector<Caption>& alone = subject.captions();
  const at::Tensor& features = subject.features();
  const auto results =
      called("decode", [&] { return at_once(kCallers, [&] { return decoded(subject, features); }); });
  for (const std::vector<Caption>& result : results) {
    expect_same_captions(alone, result, "in a call beside another one");
  }
  return "";
}

std::string decodes_in_inference_mode(Subject& subject) {
  (void)subject.captions();
  const auto fresh = called("the factory, a second time,", subject.another);
  const auto results =
      in_and_out_of_inference([&] { return decoded(*fresh, subject.texts(), subject.features()); });
  expect_same_captions(results[0], results[1], "outside of inference mode, after a call in it");
  expect_same_captions(results[0], results[2], "in inference mode, after a call outside of it");
  return "";
}

std::string refuses_an_unknown_probe(Subject& subject) {
  must_refuse("probe", "a name that it does not know", ErrorKind::data,
              [&] { subject.plugin().probe("no_such_probe", {}); });
  return "";
}

std::string does_without_a_backbone(Subject& subject) {
  DecodeInput input;
  input.features = input.region_features = subject.features();
  std::string refusal;
  const auto captions = called("decode", [&]() -> std::optional<std::vector<Caption>> {
    try {
      return subject.plugin().decode(input);
    } catch (const Error& error) {
      refusal = error.what();
      return std::nullopt;
    }
  });
  return captions ? "" : "refused: " + refusal;
}

constexpr CheckOf<Subject> kChecks[] = {
    {"width", "dim() is a width; it and text_fingerprint() stay the same", states_its_width},
    {"decode", "there is one caption a row of features, which stay as they are", decodes},
    {"texts", "texts are UTF-8, Caption::text is stripped of spaces and full stops, scores are finite",
     writes_clean_texts},
    {"log-probabilities",
     "asked to explain, there is a log-probability for each token id, finite and at most 0",
     gives_log_probabilities},
    {"explain", "a caption is the same whether it is explained or not", decodes_without_explaining},
    {"no features", "no features, [0,D], have no captions", decodes_no_features},
    {"batches", "a feature has the same caption alone as beside others", decodes_batches_as_singles},
    {"again", "a second call gives the same", decodes_the_same_again},
    {"threads", "captions are the same with 1 thread and with several", decodes_with_any_threads},
    {"at once", "two threads may call decode at the same time", decodes_at_once},
    {"inference mode", "captions are the same in LibTorch's inference mode, outside of it, and in it again",
     decodes_in_inference_mode},
    {"unknown probe", "probe refuses a name that it does not know with an Error of kind data",
     refuses_an_unknown_probe},
    {"no backbone", "without a backbone it decodes, or refuses with an Error", does_without_a_backbone},
};

}  // namespace

int64_t DecoderSubject::width() const {
  const int64_t dim = called("dim", [&] { return plugin().dim(); });
  if (dim < 1) {
    throw CheckFailed("dim() is {}; it is the width of the features that it reads, at least 1", dim);
  }
  return dim;
}

const Backbone& DecoderSubject::texts() {
  if (!texts_seen_) {
    const int64_t dim = width();
    if (texts_ == nullptr || !texts_->capabilities().text || texts_->dim() != dim) {
      texts_ = std::make_shared<StandInTexts>(dim);
    }
    texts_seen_ = true;
  }
  return *texts_;
}

const at::Tensor& DecoderSubject::features() {
  if (!features_.defined()) {
    const at::Tensor vectors = texts().encode_text(some_texts()).to(at::kFloat);
    features_ = (vectors / vectors.norm(2, -1, true)).to(settings.context.device);  // [R,D]
  }
  return features_;
}

const std::vector<Caption>& DecoderSubject::captions() {
  if (failed_) {
    throw CheckSkipped("decode does not work, see above");
  }
  if (!captions_) {
    const Untouched input({features()});
    failed_ = true;
    captions_ = decoded(*this, features());
    input.expect("decode");
    failed_ = false;
  }
  return *captions_;
}

std::span<const CheckOf<DecoderSubject>> decoder_checks() {
  return kChecks;
}

}  // namespace patchioner
