// What backbone.hpp promises of the text side of a backbone.
#include "conformance/backbone_checks.hpp"
#include "conformance/made_inputs.hpp"
#include "conformance/plugin_calls.hpp"

namespace patchioner {
namespace {

using Subject = BackboneSubject;

constexpr size_t kCallers = 2;

void need_texts(Subject& subject) {
  if (!subject.capabilities().text) {
    throw CheckSkipped("capabilities() says that it has no text side");
  }
}

at::Tensor encode_text(Subject& subject, std::span<const std::string> texts) {
  return called("encode_text", [&] { return subject.plugin().encode_text(texts); });
}

std::string fingerprints_texts(Subject& subject) {
  const auto ask = [&] {
    return called("text_fingerprint", [&] { return subject.plugin().text_fingerprint(); });
  };
  const std::string fingerprint = ask();
  if (fingerprint != ask()) {
    throw CheckFailed("text_fingerprint() gives another text each time; it is a digest of the text side");
  }
  const bool texts = subject.capabilities().text;
  return texts && fingerprint.empty()
             ? "it is empty: a memory or decoder made with another text side is not recognised"
             : "";
}

std::string encodes_texts(Subject& subject) {
  need_texts(subject);
  const std::vector<std::string> texts = some_texts();
  const at::Tensor vectors = encode_text(subject, texts);
  expect_tensor(vectors, {static_cast<int64_t>(texts.size()), subject.width()}, "the texts' vectors");
  expect_finite(vectors, "the texts' vectors");
  if (vectors.requires_grad()) {
    throw CheckFailed("the texts' vectors require gradients; begin encode_text with an at::NoGradGuard");
  }
  const at::Tensor other = vectors.slice(0, 1).sub(vectors.slice(0, 0, 1)).abs().amax(1);  // [N-1]
  if ((other == 0).any().item<bool>()) {
    throw CheckFailed("different texts have the same vector");
  }
  return "";
}

std::string encodes_texts_in_any_order(Subject& subject) {
  need_texts(subject);
  const std::vector<std::string> texts = some_texts();
  const at::Tensor together = encode_text(subject, texts);
  const std::vector<std::string> backwards(texts.rbegin(), texts.rend());
  const double tolerance = subject.settings.tolerance();
  expect_same(together, encode_text(subject, backwards).flip(0), tolerance, "the texts' vectors",
              "in another order");
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    expect_same(together.slice(0, row, row + 1), encode_text(subject, {&texts[i], 1}), tolerance,
                fmt::format("the numbers of '{}'", texts[i]), "alone instead of beside other texts");
  }
  return "";
}

std::string encodes_texts_at_once(Subject& subject) {
  need_texts(subject);
  const std::vector<std::string> texts = some_texts();
  const at::Tensor alone = encode_text(subject, texts);
  const auto results = called(
      "encode_text", [&] { return at_once(kCallers, [&] { return subject.plugin().encode_text(texts); }); });
  for (const at::Tensor& result : results) {
    expect_same(alone, result, subject.settings.tolerance(), "the texts' vectors",
                "in a call beside another one");
  }
  return "";
}

std::string encodes_texts_with_any_threads(Subject& subject) {
  need_texts(subject);
  const auto with = [&](int threads) {
    const ThreadCount count(threads);
    return encode_text(subject, some_texts());
  };
  expect_same(with(1), with(subject.settings.threads), subject.settings.tolerance(), "the texts' vectors",
              fmt::format("with {} threads instead of 1", subject.settings.threads));
  return "";
}

std::string encodes_no_texts(Subject& subject) {
  need_texts(subject);
  expect_tensor(encode_text(subject, {}), {0, subject.width()}, "the vectors of no texts");
  return "";
}

std::string encodes_token_ids(Subject& subject) {
  need_texts(subject);
  constexpr int64_t kTexts = 2;
  constexpr int64_t kTokens = 3;
  const at::Tensor ids =
      at::arange(kTexts * kTokens, at::kLong).reshape({kTexts, kTokens}).to(subject.settings.context.device);
  std::string refusal;
  const auto vectors = called("encode_token_ids", [&]() -> std::optional<at::Tensor> {
    try {
      return subject.plugin().encode_token_ids(ids);
    } catch (const Error& error) {
      refusal = error.what();
      return std::nullopt;
    }
  });
  if (!vectors) {
    return "refused: " + refusal;
  }
  expect_tensor(*vectors, {kTexts, subject.width()}, "the vectors of token ids");
  return "";
}

/// A vector for a text that is not like others, or an Error of kind data.
std::string encodes_odd_text(Subject& subject, const std::string& text) {
  need_texts(subject);
  std::string refusal;
  const auto vector = called_or_refused("encode_text", ErrorKind::data, refusal, [&] {
    return subject.plugin().encode_text({&text, 1});
  });
  if (!vector) {
    return "refused: " + refusal;
  }
  expect_tensor(*vector, {1, subject.width()}, "the text's vector");
  expect_finite(*vector, "the text's vector");
  return "";
}

std::string encodes_an_empty_text(Subject& subject) {
  return encodes_odd_text(subject, "");
}

std::string encodes_a_long_text(Subject& subject) {
  std::string text;
  constexpr int kWords = 2000;
  for (int i = 0; i < kWords; ++i) {
    text += "again ";
  }
  return encodes_odd_text(subject, text);
}

std::string encodes_any_bytes(Subject& subject) {
  return encodes_odd_text(subject, "caf\xe9 \xf0\x9f\x90\x95 \xff\xfe\x01 \xed\xa0\x80 end");
}

constexpr CheckOf<Subject> kChecks[] = {
    {"text fingerprint", "text_fingerprint() is the same each time it is asked for", fingerprints_texts},
    {"texts",
     "encode_text gives [N,D] float32, finite, without gradients, and another vector for another text",
     encodes_texts},
    {"text batches", "a text has the same vector alone, beside others, and in any order",
     encodes_texts_in_any_order},
    {"texts at once", "two threads may call encode_text at the same time", encodes_texts_at_once},
    {"text threads", "texts have the same vectors with 1 thread and with several",
     encodes_texts_with_any_threads},
    {"no texts", "encode_text of no texts gives [0,D]", encodes_no_texts},
    {"token ids", "encode_token_ids of ids [N,C] gives [N,D], or refuses them with an Error",
     encodes_token_ids},
    {"empty text", "an empty text has a vector, or is refused with an Error of kind data",
     encodes_an_empty_text},
    {"long text", "a text of 2,000 words is cut, or is refused with an Error of kind data",
     encodes_a_long_text},
    {"ill-formed text", "a text that is no UTF-8 has a vector, or is refused with an Error of kind data",
     encodes_any_bytes},
};

}  // namespace

std::span<const CheckOf<BackboneSubject>> text_side_checks() {
  return kChecks;
}

}  // namespace patchioner
