// Says where a feature is largest, can be trained, and does something wrong when it is told to.
#include <filesystem>
#include <fstream>

#include "faulty.hpp"

namespace {

using namespace patchioner;
using faulty::enter;

constexpr int64_t kDim = 6;
constexpr const char* kWords[kDim] = {"ape", "bee", "cow", "dog", "eel", "fox"};

struct FaultyOptions : faulty::FaultOptions {
  std::string weights;
};

void declare(ParameterList<FaultyOptions>& list) {
  faulty::declare_fault(list);
  list.add("weights", &FaultyOptions::weights, "what save() wrote").path();
}

class Faulty : public Decoder {
 public:
  Faulty(FaultyOptions options, const PluginContext&) : options_(std::move(options)) {
    enter(options_, "constructor");
    if (options_.weights.empty()) {
      return;
    }
    std::ifstream file(options_.weights);
    for (int64_t i = 0; i < kDim; ++i) {
      float number = 0;
      file >> number;
      scale_[i] = number;
    }
    file >> std::ws;
    std::getline(file, fingerprint_);
  }

  int64_t dim() const override {
    enter(options_, "dim");
    return kDim;
  }
  std::string text_fingerprint() const override {
    enter(options_, "text_fingerprint");
    if (!options_.weights.empty()) {
      enter(options_, "text_fingerprint of the loaded decoder");
    }
    return fingerprint_;
  }
  at::Tensor probe(const std::string& name, const std::map<std::string, at::Tensor>& inputs) const override {
    enter(options_, "probe");
    return is("any_probe") ? at::ones({1}) : Decoder::probe(name, inputs);
  }

  std::vector<Caption> decode(const DecodeInput& input) const override {
    enter(options_, "decode");
    if (is("wants_backbone") && input.backbone == nullptr) {
      throw std::logic_error("backbone is null");
    }
    if (is("some_features") && input.features.size(0) == 0) {
      throw std::out_of_range("features[0]");
    }
    if (is("in_place")) {
      at::Tensor(input.features).mul_(2);
    }
    const at::Tensor scores = at::log_softmax(input.features * scale_.detach(), 1);  // [R,D]
    std::vector<Caption> captions;
    for (int64_t row = 0; row < scores.size(0); ++row) {
      int64_t id = scores[row].argmax().item<int64_t>();
      id = is("batch")       ? (id + scores.size(0)) % kDim
           : is("threads")   ? (id + at::get_num_threads()) % kDim
           : is("inference") ? (id + (c10::InferenceMode::is_enabled() ? 1 : 0)) % kDim
           : is("random")    ? at::randint(kDim, {1}).item<int64_t>()
           : is("explain")   ? (id + (input.explain ? 1 : 0)) % kDim
                             : id;
      Caption caption;
      caption.raw_text = caption.text = std::string("a ") + kWords[id];
      caption.score = is("score") ? std::numeric_limits<double>::quiet_NaN() : 1;
      if (input.explain) {
        caption.token_ids = {id};
        caption.tokens = {kWords[id]};
        caption.log_probabilities = {is("probability") ? 0.5 : scores[row][id].item<double>()};
      }
      if (is("missing_probability")) {
        caption.log_probabilities.clear();
      }
      caption.text += is("full_stop") ? "." : is("bytes") ? "\xff" : "";
      captions.push_back(std::move(caption));
    }
    if (is("count") && !captions.empty()) {
      captions.pop_back();
    }
    return captions;
  }

  at::Tensor logits(const at::Tensor& features, const at::Tensor& ids) const override {
    enter(options_, "logits");
    return Decoder::logits(features, ids);
  }

  bool trainable() const override {
    enter(options_, "trainable");
    return !is("untrainable") && !is("untrainable_loss");
  }
  std::string training_text(const std::string& caption) const override {
    enter(options_, "training_text");
    return caption;
  }
  bool reads_training_entities() const override {
    enter(options_, "reads_training_entities");
    return true;
  }
  std::vector<std::string> training_entities(const std::string&) const override {
    enter(options_, "training_entities");
    return {};
  }

  at::Tensor training_ids(std::span<const std::string> captions, std::vector<size_t>&) const override {
    enter(options_, "training_ids");
    const auto count = static_cast<int64_t>(captions.size());
    return is("ids") ? at::zeros({count, 2}) : at::zeros({count, 2}, at::kLong);
  }

  Loss loss(const TrainingBatch& batch, RandomSource& random, bool training) const override {
    if (is("untrainable")) {
      return Decoder::loss(batch, random, training);
    }
    enter(options_, "loss");
    at::Tensor value = (batch.features * scale_).square().mean();
    if (is("constant_loss")) {
      value = value.detach();
    }
    if (is("loss_shape")) {
      value = value.repeat({2});
    }
    if (is("loss_nan")) {
      value = value * std::numeric_limits<double>::quiet_NaN();
    }
    if (is("random_loss")) {
      value = value * at::rand({1});
    }
    return {value, is("accuracy") ? 1.5 : 0.5};
  }

  std::vector<std::pair<std::string, at::Tensor>> parameters() const override {
    enter(options_, "parameters");
    if (is("other_parameters")) {
      return {{"scale", scale_.detach().clone()}};
    }
    if (is("same_names")) {
      return {{"scale", scale_}, {"scale", scale_}};
    }
    return {{"scale", scale_}};
  }

  void save(const std::string& path, const std::string& text_fingerprint) const override {
    enter(options_, "save");
    if (is("saves_nothing")) {
      return;
    }
    std::ofstream file(path);
    for (int64_t i = 0; i < kDim; ++i) {
      file << (is("saves_else") ? 2.0F : scale_[i].item<float>()) << ' ';
    }
    file << (is("loses_fingerprint") ? "" : text_fingerprint);
  }

 private:
  bool is(std::string_view fault) const { return options_.fault == fault; }

  FaultyOptions options_;
  at::Tensor scale_ = at::ones({kDim});
  std::string fingerprint_;
};

}  // namespace

PATCHIONER_PLUGIN(decoder, faulty_decoder, "1", "Six animals, and whatever fault is asked for", Faulty,
                  FaultyOptions)
