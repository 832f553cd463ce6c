// What decoder.hpp promises of decoders that can be trained.
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <set>

#include "conformance/decoder_checks.hpp"
#include "conformance/decoder_inputs.hpp"
#include "conformance/made_inputs.hpp"
#include "conformance/plugin_calls.hpp"

namespace patchioner {
namespace {

using Subject = DecoderSubject;
using Parameters = std::vector<std::pair<std::string, at::Tensor>>;

constexpr uint64_t kSeed = 31;

void need_training(Subject& subject) {
  if (!called("trainable", [&] { return subject.plugin().trainable(); })) {
    throw CheckSkipped("trainable() says that it cannot be trained");
  }
}

Parameters parameters_of(Subject& subject) {
  Parameters parameters = called("parameters", [&] { return subject.plugin().parameters(); });
  if (parameters.empty()) {
    throw CheckFailed("trainable() is true, but parameters() is empty");
  }
  return parameters;
}

/// Parameters that collect gradients, until the object goes away: as a training has them.
class Collecting {
 public:
  explicit Collecting(const Parameters& parameters) {
    for (const auto& [name, tensor] : parameters) {
      tensors_.push_back(tensor);
      tensors_.back().requires_grad_(true);
    }
  }
  ~Collecting() {
    for (at::Tensor& tensor : tensors_) {
      tensor.mutable_grad() = at::Tensor();
      tensor.requires_grad_(false);
    }
  }
  Collecting(const Collecting&) = delete;
  Collecting& operator=(const Collecting&) = delete;

 private:
  std::vector<at::Tensor> tensors_;
};

/// Captions as a training hands them to loss().
TrainingBatch batch_of(Subject& subject) {
  const Decoder& decoder = subject.plugin();
  std::vector<std::string> captions;
  for (const std::string& text : some_texts()) {
    captions.push_back(called("training_text", [&] { return decoder.training_text(text); }));
  }
  TrainingBatch batch;
  std::vector<size_t> dropped;
  batch.ids = called("training_ids", [&] { return decoder.training_ids(captions, dropped); });
  const auto count = static_cast<int64_t>(captions.size());
  const bool reads_entities =
      called("reads_training_entities", [&] { return decoder.reads_training_entities(); });
  std::vector<int64_t> kept;
  for (size_t i = 0; i < captions.size(); ++i) {
    if (std::find(dropped.begin(), dropped.end(), i) == dropped.end()) {
      kept.push_back(static_cast<int64_t>(i));
      if (reads_entities) {
        batch.entities.push_back(
            called("training_entities", [&] { return decoder.training_entities(captions[i]); }));
      }
    }
  }
  if (kept.empty()) {
    throw CheckFailed("training_ids drops every one of {} short captions", count);
  }
  if (!batch.ids.defined() || batch.ids.dim() != 2 || batch.ids.scalar_type() != at::kLong ||
      batch.ids.size(0) != static_cast<int64_t>(kept.size())) {
    throw CheckFailed(
        "training_ids gives {} for {} captions of which {} are dropped; expected [{},T] of type Long",
        batch.ids.defined()
            ? sizes_text(batch.ids.sizes()) + " of type " + at::toString(batch.ids.scalar_type())
            : "an undefined tensor",
        count, dropped.size(), kept.size());
  }
  batch.ids = batch.ids.to(subject.settings.context.device);
  batch.features =
      subject.features().index_select(0, at::tensor(kept, at::kLong).to(subject.settings.context.device));
  return batch;
}

Decoder::Loss loss_of(Subject& subject, const TrainingBatch& batch, bool training) {
  GeneratorSource random(at::detail::createCPUGenerator(kSeed));
  Decoder::Loss loss = called("loss", [&] { return subject.plugin().loss(batch, random, training); });
  if (!loss.value.defined() || loss.value.numel() != 1) {
    throw CheckFailed("loss gives {}; expected one number", loss.value.defined()
                                                                ? "a tensor " + sizes_text(loss.value.sizes())
                                                                : "an undefined tensor");
  }
  const double value = loss.value.item<double>();
  if (!std::isfinite(value)) {
    throw CheckFailed("the loss of {} captions is {}", batch.ids.size(0), value);
  }
  if (!(loss.accuracy >= 0 && loss.accuracy <= 1)) {
    throw CheckFailed("the accuracy of the loss is {}; it is a share, in [0,1]", loss.accuracy);
  }
  return loss;
}

std::string tokenises_captions(Subject& subject) {
  need_training(subject);
  const TrainingBatch batch = batch_of(subject);
  return fmt::format("{} ids a caption", batch.ids.size(1));
}

std::string lists_parameters(Subject& subject) {
  need_training(subject);
  std::set<std::string> names;
  int64_t numbers = 0;
  for (const auto& [name, tensor] : parameters_of(subject)) {
    if (name.empty() || !names.insert(name).second) {
      throw CheckFailed("parameters() gives the name '{}' {}", name, name.empty() ? "to a tensor" : "twice");
    }
    if (!tensor.defined() || !at::isFloatingType(tensor.scalar_type()) || !tensor.is_leaf()) {
      throw CheckFailed("the parameter '{}' is no floating-point tensor that can collect gradients", name);
    }
    numbers += tensor.numel();
  }
  return fmt::format("{} tensors, {} numbers", names.size(), numbers);
}

std::string has_a_loss(Subject& subject) {
  need_training(subject);
  const TrainingBatch batch = batch_of(subject);
  const c10::NoGradGuard no_gradients;
  const double first = loss_of(subject, batch, /*training=*/false).value.item<double>();
  const double again = loss_of(subject, batch, /*training=*/false).value.item<double>();
  if (std::abs(first - again) > subject.settings.tolerance() * std::abs(first)) {
    throw CheckFailed("without training the loss of the same captions is {:.6g} and then {:.6g}", first,
                      again);
  }
  return fmt::format("{:.3g}", first);
}

std::string learns(Subject& subject) {
  need_training(subject);
  const TrainingBatch batch = batch_of(subject);
  const Parameters parameters = parameters_of(subject);
  const c10::AutoGradMode gradients(true);
  const Collecting collecting(parameters);
  const Decoder::Loss loss = loss_of(subject, batch, /*training=*/true);
  if (!loss.value.requires_grad()) {
    throw CheckFailed("the loss does not depend on parameters(): there is no gradient to follow");
  }
  called("the gradient of loss", [&] { loss.value.backward(); });
  size_t reached = 0;
  for (const auto& [name, tensor] : parameters) {
    if (tensor.grad().defined()) {
      expect_finite(tensor.grad(), fmt::format("the gradients of '{}'", name));
      ++reached;
    }
  }
  if (reached == 0) {
    throw CheckFailed("no parameter has a gradient: parameters() gives other tensors than loss reads");
  }
  return reached == parameters.size()
             ? ""
             : fmt::format("{} of {} parameters have a gradient", reached, parameters.size());
}

std::string gives_logits(Subject& subject) {
  need_training(subject);
  const at::Tensor& features = subject.features();
  const at::Tensor ids = batch_of(subject).ids.slice(0, 0, 1).clamp_min(0);  // [1,T]
  const c10::NoGradGuard no_gradients;
  const at::Tensor logits = called("logits", [&]() -> at::Tensor {
    try {
      return subject.plugin().logits(features.slice(0, 0, 1), ids);
    } catch (const Error& error) {
      throw CheckSkipped("refused: {}", error.what());
    }
  });
  if (!logits.defined() || logits.dim() != 3 || logits.size(0) != 1 || logits.size(1) != ids.size(1) + 1) {
    throw CheckFailed("logits of ids {} are {}; expected [1,{},V]", sizes_text(ids.sizes()),
                      logits.defined() ? sizes_text(logits.sizes()) : "undefined", ids.size(1) + 1);
  }
  expect_finite(logits, "the logits");
  return "";
}

std::string saves_and_loads(Subject& subject) {
  need_training(subject);
  if (!subject.reload) {
    throw CheckSkipped("it has no option 'weights' of type path that a saved file could be given to");
  }
  const std::filesystem::path file = subject.folder / "saved.pt";
  const std::string fingerprint = "the texts of a check";
  called("save", [&] { subject.plugin().save(file.string(), fingerprint); });
  if (!std::filesystem::exists(file)) {
    throw CheckFailed("save({}) leaves no such file", file.string());
  }
  const std::shared_ptr<const Decoder> loaded =
      called("the factory, given what save wrote,", [&] { return subject.reload(file); });
  const std::string kept =
      called("text_fingerprint of the loaded decoder", [&] { return loaded->text_fingerprint(); });
  if (kept != fingerprint) {
    throw CheckFailed("text_fingerprint() of the loaded decoder is '{}' and not what save was given, '{}'",
                      kept, fingerprint);
  }
  const Parameters ours = parameters_of(subject);
  const Parameters theirs = called("parameters", [&] { return loaded->parameters(); });
  for (const auto& [name, tensor] : ours) {
    const auto found = std::find_if(theirs.begin(), theirs.end(),
                                    [&name = name](const auto& one) { return one.first == name; });
    if (found == theirs.end()) {
      throw CheckFailed("the loaded decoder has no parameter '{}'", name);
    }
    expect_same(tensor.detach(), found->second.detach(), subject.settings.tolerance(),
                fmt::format("the numbers of '{}'", name), "after save and load");
  }
  const at::Tensor& features = subject.features();
  expect_same_captions(subject.captions(), decoded(*loaded, subject.texts(), features),
                       "after save and load");
  return "";
}

std::string refuses_training(Subject& subject) {
  if (called("trainable", [&] { return subject.plugin().trainable(); })) {
    throw CheckSkipped("it can be trained");
  }
  GeneratorSource random(at::detail::createCPUGenerator(kSeed));
  TrainingBatch batch;
  batch.features = subject.features();
  batch.ids = at::zeros({batch.features.size(0), 3}, at::kLong);
  must_refuse("loss", "captions, which trainable() rules out,", std::nullopt,
              [&] { subject.plugin().loss(batch, random, false); });
  return "";
}

constexpr CheckOf<Subject> kChecks[] = {
    {"training ids", "training_ids gives [N,T] of type int64 for the captions that it does not drop",
     tokenises_captions},
    {"trained parameters", "each of parameters() has a name of its own and can collect gradients",
     lists_parameters},
    {"loss", "loss is one finite number, the same again without training; accuracy lies in [0,1]",
     has_a_loss},
    {"gradients", "the loss has finite gradients, which reach parameters()", learns},
    {"logits", "logits of ids [N,T] are [N,T+1,V] and finite, where it gives them", gives_logits},
    {"save and load",
     "what save wrote, given as the option 'weights', makes the same decoder, and keeps the fingerprint",
     saves_and_loads},
    {"no training", "a decoder that cannot be trained refuses loss with an Error", refuses_training},
};

}  // namespace

std::span<const CheckOf<DecoderSubject>> training_checks() {
  return kChecks;
}

}  // namespace patchioner
