#include "conformance/gap_checks.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>

#include "conformance/made_inputs.hpp"
#include "conformance/plugin_calls.hpp"

namespace patchioner {
namespace {

using Subject = GapSubject;

constexpr int64_t kFeatures = 6;
constexpr int64_t kUsualWidth = 16;  // for a gap that takes any
constexpr uint64_t kSeed = 23;
constexpr size_t kCallers = 4;
constexpr const char* kMapped = "the features in the text space";

int64_t width(Subject& subject) {
  const int64_t dim = called("dim", [&] { return subject.plugin().dim(); });
  return dim > 0 ? dim : kUsualWidth;
}

/// Features as an aggregation gives them: [R,D].
at::Tensor fresh_features(Subject& subject) {
  constexpr double kLength = 3;
  return (kLength * drawn_features(kFeatures, width(subject), kSeed)).to(subject.settings.context.device);
}

/// Texts' features of unit length, as a training gives them: [N,D].
at::Tensor text_features(Subject& subject) {
  return drawn_features(kFeatures, width(subject), kSeed + 1).to(subject.settings.context.device);
}

at::Tensor to_text_space(Subject& subject, const at::Tensor& features) {
  return called("to_text_space", [&] { return subject.plugin().to_text_space(features); });
}

at::Tensor perturb(Subject& subject, uint64_t seed) {
  GeneratorSource random(at::detail::createCPUGenerator(seed));
  const at::Tensor texts = text_features(subject);
  return called("perturb", [&] { return subject.plugin().perturb(texts, random); });
}

std::string states_its_width(Subject& subject) {
  const int64_t dim = called("dim", [&] { return subject.plugin().dim(); });
  if (dim < 0) {
    throw CheckFailed("dim() is {}; it is the width of the features that it reads, or 0 for any", dim);
  }
  const auto fingerprint = [&] {
    return called("text_fingerprint", [&] { return subject.plugin().text_fingerprint(); });
  };
  if (dim != called("dim", [&] { return subject.plugin().dim(); }) || fingerprint() != fingerprint()) {
    throw CheckFailed("dim() or text_fingerprint() gives another answer the second time");
  }
  return dim == 0 ? "any width" : fmt::format("width {}", dim);
}

std::string maps_features(Subject& subject) {
  (void)subject.mapped();
  return "";
}

std::string gives_finite_numbers(Subject& subject) {
  expect_finite(subject.mapped(), kMapped);
  return "";
}

std::string maps_no_features(Subject& subject) {
  (void)subject.mapped();
  const at::Tensor none = subject.features().slice(0, 0, 0);
  expect_tensor(to_text_space(subject, none), none.sizes(), kMapped);
  return "";
}

std::string maps_batches_as_singles(Subject& subject) {
  const at::Tensor& together = subject.mapped();
  for (int64_t row = 0; row < kFeatures; ++row) {
    expect_same(together.slice(0, row, row + 1),
                to_text_space(subject, subject.features().slice(0, row, row + 1)),
                subject.settings.tolerance(), fmt::format("the numbers of feature {}", row + 1),
                "alone instead of beside others");
  }
  return "";
}

std::string maps_the_same_again(Subject& subject) {
  const at::Tensor& first = subject.mapped();
  expect_same(first, to_text_space(subject, subject.features()), subject.settings.tolerance(), kMapped,
              "in a second call");
  return "";
}

std::string maps_with_any_threads(Subject& subject) {
  (void)subject.mapped();
  const auto with = [&](int threads) {
    const ThreadCount count(threads);
    return to_text_space(subject, subject.features());
  };
  expect_same(with(1), with(subject.settings.threads), subject.settings.tolerance(), kMapped,
              fmt::format("with {} threads instead of 1", subject.settings.threads));
  return "";
}

std::string maps_at_once(Subject& subject) {
  const at::Tensor& alone = subject.mapped();
  const at::Tensor& input = subject.features();
  const auto results = called("to_text_space", [&] {
    return at_once(kCallers, [&] { return subject.plugin().to_text_space(input); });
  });
  for (const at::Tensor& result : results) {
    expect_same(alone, result, subject.settings.tolerance(), kMapped, "in a call beside others");
  }
  return "";
}

std::string maps_in_inference_mode(Subject& subject) {
  (void)subject.mapped();
  const auto fresh = called("the factory, a second time,", subject.another);
  const auto results = called("to_text_space", [&] {
    return in_and_out_of_inference([&] { return fresh->to_text_space(subject.features()); });
  });
  const double tolerance = subject.settings.tolerance();
  expect_same(results[0], results[1], tolerance, kMapped, "outside of inference mode, after a call in it");
  expect_same(results[0], results[2], tolerance, kMapped, "in inference mode, after a call outside of it");
  return "";
}

std::string leaves_its_input(Subject& subject) {
  (void)subject.mapped();
  const at::Tensor features = fresh_features(subject);
  const Untouched before({features});
  (void)to_text_space(subject, features);
  before.expect("to_text_space");
  const at::Tensor texts = text_features(subject);
  const Untouched texts_before({texts});
  GeneratorSource random(at::detail::createCPUGenerator(kSeed));
  (void)called("perturb", [&] { return subject.plugin().perturb(texts, random); });
  texts_before.expect("perturb");
  return "";
}

std::string perturbs(Subject& subject) {
  const at::Tensor result = perturb(subject, kSeed);
  expect_tensor(result, {kFeatures, width(subject)}, "the perturbed features");
  expect_finite(result, "the perturbed features");
  return "";
}

std::string draws_from_its_source(Subject& subject) {
  at::manual_seed(1);
  const at::Tensor first = perturb(subject, kSeed);
  at::manual_seed(2);
  const at::Tensor again = perturb(subject, kSeed);
  expect_same(first, again, subject.settings.tolerance(), "the perturbed features",
              "with the same random source again, so something else is random too");
  return at::allclose(first, perturb(subject, kSeed + 1)) ? "it adds no noise" : "it adds noise";
}

std::string names_memory_texts(Subject& subject) {
  constexpr int64_t kMatches = 3;
  const auto found =
      called("nearest", [&] { return subject.plugin().nearest(subject.features(), kMatches); });
  if (found.empty()) {
    throw CheckSkipped("it has no memory: nearest() gives nothing");
  }
  if (found.size() != static_cast<size_t>(kFeatures)) {
    throw CheckFailed("nearest() gives {} lists for {} features", found.size(), kFeatures);
  }
  for (const std::vector<MemoryMatch>& matches : found) {
    if (matches.size() > static_cast<size_t>(kMatches)) {
      throw CheckFailed("nearest() gives {} texts where {} were asked for", matches.size(), kMatches);
    }
    double before = 1;
    constexpr double kRounding = 1e-3;
    for (const MemoryMatch& match : matches) {
      if (!(match.weight >= 0 && match.weight <= 1 + kRounding) ||
          !(match.similarity >= -1 - kRounding && match.similarity <= 1 + kRounding) || match.row < 0) {
        throw CheckFailed(
            "nearest() gives '{}' the weight {:.4g}, the similarity {:.4g} and the row {}; a weight lies in "
            "[0,1], a cosine in [-1,1], rows count from 0",
            match.text, match.weight, match.similarity, match.row);
      }
      if (match.weight > before + kRounding) {
        throw CheckFailed("nearest() gives the weight {:.4g} behind {:.4g}; the largest comes first",
                          match.weight, before);
      }
      before = match.weight;
    }
  }
  return "";
}

constexpr CheckOf<Subject> kChecks[] = {
    {"width", "dim() is a width, or 0 for any; it and text_fingerprint() stay the same", states_its_width},
    {"to_text_space", "features [R,D] become features [R,D] float32", maps_features},
    {"finite features", "no number that to_text_space gives is infinite or not a number",
     gives_finite_numbers},
    {"no features", "no features, [0,D], become none", maps_no_features},
    {"batches", "a feature becomes the same alone as beside others", maps_batches_as_singles},
    {"again", "a second call gives the same", maps_the_same_again},
    {"threads", "results are the same with 1 thread and with several", maps_with_any_threads},
    {"at once", "several threads may call to_text_space at the same time", maps_at_once},
    {"inference mode", "results are the same in LibTorch's inference mode, outside of it, and in it again",
     maps_in_inference_mode},
    {"input", "neither to_text_space nor perturb changes its input", leaves_its_input},
    {"perturb", "features of texts [N,D] become features [N,D] float32, finite", perturbs},
    {"random source", "what perturb gives is decided by its random source alone", draws_from_its_source},
    {"nearest", "memory texts come with the largest weight first, a list for each feature",
     names_memory_texts},
};

}  // namespace

const at::Tensor& GapSubject::features() {
  if (!features_.defined()) {
    features_ = fresh_features(*this);
  }
  return features_;
}

const at::Tensor& GapSubject::mapped() {
  if (failed_) {
    throw CheckSkipped("to_text_space does not work, see above");
  }
  if (!mapped_.defined()) {
    failed_ = true;
    const at::Tensor mapped = to_text_space(*this, features());
    expect_tensor(mapped, features().sizes(), kMapped);
    mapped_ = mapped;
    failed_ = false;
  }
  return mapped_;
}

std::span<const CheckOf<GapSubject>> gap_checks() {
  return kChecks;
}

}  // namespace patchioner
