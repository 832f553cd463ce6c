#include "torchscript_backbone.hpp"

#include <ATen/core/grad_mode.h>

#include <limits>
#include <patchioner/error.hpp>

#include "checkpoint/tensor_bytes.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

/// Three numbers a channel of the option `option`; an Error of kind config for anything else, and for one
/// below `least`.
std::array<float, 3> channels_of(const Value& value, const std::string& option, double least) {
  std::array<float, 3> channels{};
  const bool is_list = value.is_list() && value.as_list().size() == channels.size();
  for (size_t i = 0; is_list && i < channels.size(); ++i) {
    const Value& number = value.as_list()[i];
    const bool is_number = number.type() == Value::Type::number || number.type() == Value::Type::integer;
    if (!is_number || !(number.as_number() >= least)) {
      throw Error(ErrorKind::config, "{}: `{}` must be three numbers, of R, G and B{}",
                  number.origin().to_string(), option, least > 0 ? ", above 0" : "");
    }
    channels[i] = static_cast<float>(number.as_number());
  }
  if (!is_list) {
    throw Error(ErrorKind::config, "{}: `{}` must be three numbers, of R, G and B, such as [0.5, 0.5, 0.5]",
                value.origin().to_string(), option);
  }
  return channels;
}

/// Runs what tries the model out; what is wrong with data there is wrong with the description.
template <class Call>
void while_trying(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    throw error.kind() == ErrorKind::data ? Error(ErrorKind::config, "{}", error.what()) : error;
  }
}

}  // namespace

TorchScriptBackbone::TorchScriptBackbone(TorchScriptOptions options, const PluginContext& context)
    : options_(std::move(options)), context_(context) {
  const ScriptModel model(options_.weights, "weights", context_.device, precision());
  method_.emplace(model.method(options_.method, "method", "images"), options_.batch);
  outputs_.emplace(options_, method_->description());
  set_spec();
  while_trying([&] { try_out(); });
  while_trying([&] { load_texts(model); });
}

std::optional<at::ScalarType> TorchScriptBackbone::precision() const {
  if (options_.precision == "stored") {
    return std::nullopt;
  }
  return options_.precision == "runtime" ? context_.precision
         : options_.precision == "bf16"  ? at::kBFloat16
                                         : at::kFloat;
}

void TorchScriptBackbone::set_spec() {
  const int64_t pixel = 1;  // where the size of a patch is not known yet
  spec_ = image_spec_of(options_, PatchGrid{options_.patch_size > 0 ? options_.patch_size : pixel, 0, false},
                        channels_of(options_.mean, "mean", std::numeric_limits<double>::lowest()),
                        channels_of(options_.std, "std", std::numeric_limits<float>::min()));
}

void TorchScriptBackbone::try_out() {
  const int64_t input = spec_.input_size();
  // No two pixels are the same, so that the outputs are not all zeros, which would hide what is wrong with
  // them.
  const at::Tensor ramp = at::linspace(-1, 1, 3 * input * input).reshape({1, 3, input, input});
  const NamedTensors outputs = method_->run(ramp);
  for (const auto& [name, tensor] : outputs) {
    output_names_.push_back(name);
  }
  if (options_.patch_size == 0) {
    const int64_t side = outputs_->side(outputs);
    spec_.patch_size = input / side;
    if (side > input || spec_.rows() != side) {
      throw Error(ErrorKind::data,
                  "{} gives {} x {} patches for {} x {} pixels, which whole pixels a patch cannot make; set "
                  "`patch_layout`, `prefix_tokens` or `resolution`",
                  method_->description(), side, side, input, input);
    }
  }
  dim_ = outputs_->features(outputs, 1, spec_.rows(), spec_.columns()).patches.size(3);
}

void TorchScriptBackbone::load_texts(const ScriptModel& images) {
  if (options_.text_weights.empty() && options_.text_method.empty()) {
    return;
  }
  if (options_.text_method.empty()) {
    options_.text_method = "forward";
  }
  const bool one_file = options_.text_weights.empty();
  const ScriptModel model =
      one_file ? images : ScriptModel(options_.text_weights, "text_weights", context_.device, precision());
  texts_ =
      std::make_unique<const ScriptTexts>(options_, model.method(options_.text_method, "text_method", "ids"),
                                          one_file ? options_.weights : options_.text_weights);
  if (texts_->dim() != dim_) {
    throw Error(
        ErrorKind::config,
        "{} gives patches of {} dimensions and texts of {}; they share no space, unless another output is "
        "named by `patches` or `text_features`",
        method_->description(), dim_, texts_->dim());
  }
}

BackboneCapabilities TorchScriptBackbone::capabilities() const {
  BackboneCapabilities has;
  has.global = outputs_->has_global();
  has.attention = outputs_->has_attention();
  has.text = texts_ != nullptr && texts_->reads_texts();
  return has;
}

std::string TorchScriptBackbone::text_fingerprint() const {
  return texts_ == nullptr ? std::string() : texts_->fingerprint();
}

ImageFeatures TorchScriptBackbone::encode(const at::Tensor& pixels,
                                          std::span<const std::string> intermediates) const {
  const at::NoGradGuard no_gradients;
  for (const std::string& name : intermediates) {
    if (std::find(output_names_.begin(), output_names_.end(), name) == output_names_.end()) {
      throw Error(ErrorKind::data, "the backbone torchscript has no intermediate '{}'{}", name,
                  suggestion(name, output_names_));
    }
  }
  if (pixels.dim() != 4 || pixels.size(0) < 1 || pixels.size(1) != 3) {
    throw Error(ErrorKind::data, "torchscript: pixels have the shape {}; expected [B,3,H,W]",
                shape_text(pixels.sizes()));
  }
  if (options_.patch_layout == "vector" &&
      (pixels.size(2) != spec_.patch_size || pixels.size(3) != spec_.patch_size)) {
    throw Error(ErrorKind::data,
                "torchscript: pixels have the shape {}; with `patch_layout: vector` an image is one patch, "
                "and expected are [B,3,{},{}]",
                shape_text(pixels.sizes()), spec_.patch_size, spec_.patch_size);
  }
  const NamedTensors outputs = method_->run(pixels);
  ImageFeatures features = outputs_->features(outputs, pixels.size(0), pixels.size(2) / spec_.patch_size,
                                              pixels.size(3) / spec_.patch_size);
  for (at::Tensor* tensor : {&features.patches, &features.global, &features.attention}) {
    *tensor = tensor->defined() ? tensor->to(pixels.device()) : *tensor;
  }
  for (const std::string& name : intermediates) {
    features.intermediates[name] =
        chosen_output(outputs, name, "intermediates", method_->description()).to(pixels.device(), at::kFloat);
  }
  return features;
}

const ScriptTexts& TorchScriptBackbone::texts() const {
  if (texts_ == nullptr) {
    throw Error(
        ErrorKind::config,
        "torchscript: the model has no text side; set `text_method` to a method of `weights` that is given "
        "ids, or `text_weights` to the archive of a text encoder");
  }
  return *texts_;
}

at::Tensor TorchScriptBackbone::encode_text(std::span<const std::string> texts) const {
  return this->texts().encode(texts);
}

at::Tensor TorchScriptBackbone::encode_token_ids(const at::Tensor& ids) const {
  return texts().encode_ids(ids);
}

PATCHIONER_PLUGIN(backbone, torchscript, "1.0",
                  "Any model exported to TorchScript, described in YAML; runs the code in the file",
                  TorchScriptBackbone, TorchScriptOptions)

}  // namespace patchioner
