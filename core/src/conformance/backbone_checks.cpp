#include "conformance/backbone_checks.hpp"

#include <c10/core/GradMode.h>
#include <fmt/ranges.h>

#include <cmath>
#include <set>

#include "conformance/made_inputs.hpp"
#include "conformance/plugin_calls.hpp"

namespace patchioner {
namespace {

using Subject = BackboneSubject;

constexpr double kSumTolerance = 1e-3;  // of weights that sum to 1
constexpr uint64_t kSeed = 7;
constexpr size_t kCallers = 2;

ImageFeatures encode(Subject& subject, const at::Tensor& pixels,
                     std::span<const std::string> intermediates = {}) {
  const Untouched input({pixels});
  ImageFeatures features = called("encode", [&] { return subject.plugin().encode(pixels, intermediates); });
  input.expect("encode");
  return features;
}

// --- what it says of itself ------------------------------------------------------------------------------

void expect_spec(const ImageSpec& spec) {
  if (spec.input_size() < spec.patch_size) {
    throw CheckFailed("image_spec() makes an input of {} pixels a side ({}), less than one patch of {}",
                      spec.input_size(), spec.keep_img_ratio ? "crop_dim" : "resize_dim", spec.patch_size);
  }
  if (spec.keep_img_ratio && spec.resize_dim < spec.crop_dim) {
    throw CheckFailed("image_spec() resizes the shorter side to {} pixels and then cuts out {}",
                      spec.resize_dim, spec.crop_dim);
  }
  for (size_t channel = 0; channel < spec.mean.size(); ++channel) {
    if (!std::isfinite(spec.mean[channel]) || !std::isfinite(spec.std[channel]) || spec.std[channel] <= 0) {
      throw CheckFailed(
          "image_spec() normalises channel {} by mean {} and std {}; std is above 0, and both are finite",
          channel, spec.mean[channel], spec.std[channel]);
    }
  }
}

std::string describes_itself(Subject& subject) {
  const ImageSpec spec = called("image_spec", [&] { return subject.plugin().image_spec(); });
  const BackboneCapabilities can = subject.capabilities();
  const int64_t dim = subject.width();
  if (dim < 1) {
    throw CheckFailed("dim() is {}; it is the width of the shared space, at least 1", dim);
  }
  if (spec.patch_size < 0) {
    throw CheckFailed("the patch size of image_spec() is {}; it is 0 without an image side", spec.patch_size);
  }
  if (spec.patch_size == 0) {
    if (!can.text || can.global || can.attention || can.regions) {
      throw CheckFailed(
          "its patch size is 0, so it has no image side, but capabilities() {}",
          can.text ? "promises a global token, an attention map or regions" : "has no text side either");
    }
    return fmt::format("texts alone, {} wide", dim);
  }
  expect_spec(spec);
  return fmt::format("{}x{} patches of {} pixels, {} wide{}", spec.rows(), spec.columns(), spec.patch_size,
                     dim, can.text ? "" : "; no text side");
}

// --- images ----------------------------------------------------------------------------------------------

/// Shapes, types and presence of what `encode` gave for these many images and patches.
void expect_features(Subject& subject, const ImageFeatures& features, int64_t images, int64_t rows,
                     int64_t columns) {
  const BackboneCapabilities can = subject.capabilities();
  const int64_t dim = subject.width();
  expect_tensor(features.patches, {images, rows, columns, dim}, "the patches");
  for (const auto& [has, tensor, what, field] :
       {std::tuple(can.global, features.global, "global token", "global"),
        std::tuple(can.attention, features.attention, "attention map", "attention")}) {
    if (has != tensor.defined()) {
      throw CheckFailed("capabilities().{} is {}, but encode gives {} {}", field, has,
                        tensor.defined() ? "a" : "no", what);
    }
  }
  if (can.global) {
    expect_tensor(features.global, {images, dim}, "the global tokens");
  }
  if (can.attention) {
    expect_tensor(features.attention, {images, rows, columns}, "the attention maps");
  }
}

/// All tensors of a result with what they are called.
std::vector<std::pair<at::Tensor, const char*>> tensors_of(const ImageFeatures& features) {
  return {{features.patches, "the patches"},
          {features.global, "the global tokens"},
          {features.attention, "the attention maps"}};
}

void expect_same_features(Subject& subject, const ImageFeatures& first, const ImageFeatures& second,
                          std::string_view why) {
  const auto ours = tensors_of(first);
  const auto others = tensors_of(second);
  for (size_t i = 0; i < ours.size(); ++i) {
    expect_same(ours[i].first, others[i].first, subject.settings.tolerance(), ours[i].second, why);
  }
}

/// The features of one image of a batch, as a batch of one.
ImageFeatures one_of(const ImageFeatures& features, int64_t index) {
  const auto slice = [index](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.slice(0, index, index + 1) : at::Tensor();
  };
  return {slice(features.patches), slice(features.global), slice(features.attention), {}};
}

std::string encodes(Subject& subject) {
  const ImageSpec& spec = subject.spec();
  expect_features(subject, subject.features(), 2, spec.rows(), spec.columns());
  const at::Device device = subject.features().patches.device();
  return device == subject.pixels().device() ? ""
                                             : fmt::format("features of pixels on {} lie on {}",
                                                           subject.pixels().device().str(), device.str());
}

std::string gives_finite_numbers(Subject& subject) {
  for (const auto& [tensor, what] : tensors_of(subject.features())) {
    if (tensor.defined()) {
      expect_finite(tensor, what);
    }
  }
  return "";
}

std::string attends(Subject& subject) {
  const at::Tensor& attention = subject.features().attention;
  if (!attention.defined()) {
    throw CheckSkipped("it gives no attention map");
  }
  const at::Tensor maps = attention.to(at::kCPU, at::kDouble).flatten(1);  // [B,G]
  if (maps.min().item<double>() < 0) {
    throw CheckFailed("an attention map holds {:.4g}; its values are shares of 1, none below 0",
                      maps.min().item<double>());
  }
  const at::Tensor sums = maps.sum(1);
  for (int64_t i = 0; i < sums.size(0); ++i) {
    const double sum = sums[i].item<double>();
    if (!(std::abs(sum - 1) <= kSumTolerance)) {
      throw CheckFailed("the attention map of image {} sums to {:.6g}; each image's sums to 1", i + 1, sum);
    }
  }
  return "";
}

std::string runs_without_gradients(Subject& subject) {
  (void)subject.features();  // made with gradients on, as they are by default
  for (const auto& [tensor, what] : tensors_of(subject.features())) {
    if (tensor.defined() && tensor.requires_grad()) {
      throw CheckFailed(
          "{} require gradients: the whole pass is kept in memory; begin encode with an "
          "at::NoGradGuard",
          what);
    }
  }
  return "";
}

std::string encodes_the_same_again(Subject& subject) {
  const ImageFeatures& first = subject.features_alone();
  expect_same_features(subject, first, encode(subject, subject.pixels().slice(0, 0, 1)),
                       "in a second call with the same image");
  return "";
}

std::string encodes_batches_as_singles(Subject& subject) {
  const ImageFeatures& both = subject.features();
  expect_same_features(subject, subject.features_alone(), one_of(both, 0),
                       "beside another image instead of alone");
  expect_same_features(subject, encode(subject, subject.pixels().slice(0, 1, 2)), one_of(both, 1),
                       "behind another image instead of alone");
  return "";
}

std::string encodes_with_any_threads(Subject& subject) {
  const at::Tensor image = subject.pixels().slice(0, 0, 1);
  const auto with = [&](int threads) {
    const ThreadCount count(threads);
    return encode(subject, image);
  };
  expect_same_features(subject, with(1), with(subject.settings.threads),
                       fmt::format("with {} threads instead of 1", subject.settings.threads));
  return "";
}

std::string encodes_at_once(Subject& subject) {
  const at::Tensor image = subject.pixels().slice(0, 0, 1);
  const ImageFeatures& alone = subject.features_alone();
  const auto results =
      called("encode", [&] { return at_once(kCallers, [&] { return subject.plugin().encode(image); }); });
  for (const ImageFeatures& result : results) {
    expect_same_features(subject, alone, result, "in a call beside another one");
  }
  return "";
}

std::string encodes_in_inference_mode(Subject& subject) {
  const BackboneCapabilities can = subject.capabilities();
  const ImageSpec spec = called("image_spec", [&] { return subject.plugin().image_spec(); });
  const bool has_images = spec.patch_size > 0;
  if (has_images) {
    (void)subject.features();  // where encode does not work, that has been said
  }
  // An object that was never asked outside: what it keeps of its first call is made in that mode.
  const auto fresh = called("the factory, a second time,", subject.another);
  constexpr const char* kOutside = "outside of inference mode, after a call in it";
  constexpr const char* kInside = "in inference mode, after a call outside of it";
  const auto compare = [&](const std::vector<at::Tensor>& results, const char* what) {
    expect_same(results[0], results[1], subject.settings.tolerance(), what, kOutside);
    expect_same(results[0], results[2], subject.settings.tolerance(), what, kInside);
  };
  if (has_images) {
    const at::Tensor image = subject.pixels().slice(0, 0, 1);
    const auto images =
        called("encode", [&] { return in_and_out_of_inference([&] { return fresh->encode(image); }); });
    expect_same_features(subject, images[0], images[1], kOutside);
    expect_same_features(subject, images[0], images[2], kInside);
  }
  if (can.text) {
    const std::vector<std::string> texts = some_texts();
    compare(called("encode_text",
                   [&] { return in_and_out_of_inference([&] { return fresh->encode_text(texts); }); }),
            "the texts' vectors");
  }
  for (const Region& region : one_region_a_kind()) {
    if (!has_images || !can.regions) {
      break;
    }
    const at::Tensor image = subject.pixels().slice(0, 0, 1);
    const ImageGeometry where = subject.geometry();
    std::string refusal;
    const auto results = called_or_refused("encode_regions", ErrorKind::data, refusal, [&] {
      return in_and_out_of_inference([&] {
        return fresh->encode_regions(image, {&region, 1}, where).features;
      });
    });
    if (results) {
      compare(*results, "the regions' features");
      break;  // the first that it takes will do
    }
  }
  return "";
}

/// A grid of other size than usual: right features, or an Error of kind data.
std::string encodes_grid(Subject& subject, int64_t rows, int64_t columns) {
  const int64_t patch = subject.spec().patch_size;
  const at::Tensor pixels =
      drawn_pixels(1, rows * patch, columns * patch, kSeed).to(subject.settings.context.device);
  std::string refusal;
  const auto features =
      called_or_refused("encode", ErrorKind::data, refusal, [&] { return subject.plugin().encode(pixels); });
  if (!features) {
    return "refused: " + refusal;
  }
  expect_features(subject, *features, 1, rows, columns);
  for (const auto& [tensor, what] : tensors_of(*features)) {
    if (tensor.defined()) {
      expect_finite(tensor, what);
    }
  }
  return "";
}

std::string encodes_one_patch(Subject& subject) {
  return encodes_grid(subject, 1, 1);
}

std::string encodes_oblong_images(Subject& subject) {
  return encodes_grid(subject, 2, 3);
}

std::string refuses_bad_shapes(Subject& subject) {
  const int64_t size = subject.spec().input_size();
  const at::TensorOptions options(subject.settings.context.device);
  const std::vector<std::pair<const char*, at::Tensor>> wrong = {
      {"pixels of one channel", at::zeros({1, 1, size, size}, options)},
      {"pixels without an axis of images", at::zeros({3, size, size}, options)},
      {"pixels of five axes", at::zeros({1, 1, 3, size, size}, options)}};
  for (const auto& [what, pixels] : wrong) {
    must_refuse("encode", fmt::format("{}, {},", what, sizes_text(pixels.sizes())), ErrorKind::data,
                [&pixels = pixels, &subject] { subject.plugin().encode(pixels); });
  }
  return "";
}

std::string names_intermediates(Subject& subject) {
  const at::Tensor image = subject.pixels().slice(0, 0, 1);
  const std::vector<std::string> names =
      called("intermediate_names", [&] { return subject.plugin().intermediate_names(); });
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size()) {
    throw CheckFailed("intermediate_names() gives a name twice: {}", fmt::join(names, ", "));
  }
  if (!names.empty()) {
    const ImageFeatures features = encode(subject, image, names);
    for (const std::string& name : names) {
      const auto found = features.intermediates.find(name);
      if (found == features.intermediates.end() || !found->second.defined()) {
        throw CheckFailed("intermediate_names() promises '{}', but encode does not give it when asked", name);
      }
    }
    expect_same_features(subject, subject.features_alone(), features, "when intermediates are asked for");
  }
  const std::vector<std::string> unknown = {"no_such_intermediate"};
  must_refuse("encode", "an intermediate that it does not name", ErrorKind::data,
              [&] { subject.plugin().encode(image, unknown); });
  return names.empty() ? "none" : fmt::format("{} of them", names.size());
}

// --- what it has not -------------------------------------------------------------------------------------

std::string refuses_what_it_has_not(Subject& subject) {
  const BackboneCapabilities can = subject.capabilities();
  const std::vector<std::string> texts = some_texts();
  if (!can.text) {
    must_refuse("encode_text", "texts, which capabilities() rules out,", std::nullopt,
                [&] { subject.plugin().encode_text(texts); });
  }
  const ImageSpec spec = called("image_spec", [&] { return subject.plugin().image_spec(); });
  if (!can.regions && spec.patch_size > 0) {
    const std::vector<Region> regions = one_region_a_kind();
    must_refuse("encode_regions", "regions, which capabilities() rules out,", std::nullopt, [&] {
      subject.plugin().encode_regions(subject.pixels().slice(0, 0, 1), regions, subject.geometry());
    });
  }
  must_refuse("probe", "a name that it does not know", ErrorKind::data,
              [&] { subject.plugin().probe("no_such_probe", {}); });
  return "";
}

constexpr CheckOf<Subject> kChecks[] = {
    {"description", "image_spec(), dim() and capabilities() make sense and fit together", describes_itself},
    {"encode",
     "patches [B,rows,columns,D], and global [B,D] and attention [B,rows,columns] exactly where "
     "capabilities() has them, all float32; pixels stay as they are",
     encodes},
    {"finite features", "no number that encode gives is infinite or not a number", gives_finite_numbers},
    {"attention", "each image's attention map sums to 1 and has no value below 0", attends},
    {"no gradients", "encode runs without gradients, even where they are on", runs_without_gradients},
    {"images again", "the same image has the same features in a second call", encodes_the_same_again},
    {"image batches", "an image has the same features in a batch as alone", encodes_batches_as_singles},
    {"image threads", "features are the same with 1 thread and with several", encodes_with_any_threads},
    {"images at once", "two threads may call encode at the same time", encodes_at_once},
    {"inference mode",
     "images, texts and regions give the same in LibTorch's inference mode, outside of it, and in it again",
     encodes_in_inference_mode},
    {"one patch", "an image of one patch has a grid of one, or is refused with an Error of kind data",
     encodes_one_patch},
    {"oblong images", "an image of 2 by 3 patches has that grid, or is refused with an Error of kind data",
     encodes_oblong_images},
    {"bad pixels", "pixels of a wrong shape are refused with an Error of kind data", refuses_bad_shapes},
    {"intermediates",
     "every name of intermediate_names() is given when asked for, any other is an Error of kind data",
     names_intermediates},
    {"absent abilities", "what capabilities() rules out, and an unknown probe, is refused with an Error",
     refuses_what_it_has_not},
};

}  // namespace

BackboneCapabilities BackboneSubject::capabilities() const {
  return called("capabilities", [&] { return plugin().capabilities(); });
}

int64_t BackboneSubject::width() const {
  return called("dim", [&] { return plugin().dim(); });
}

ImageGeometry BackboneSubject::geometry() const {
  return geometry_of(spec(), kCheckedImageWidth, kCheckedImageHeight);
}

const ImageSpec& BackboneSubject::spec() const {
  const ImageSpec& spec = called("image_spec", [&]() -> const ImageSpec& { return plugin().image_spec(); });
  if (spec.patch_size < 1) {
    throw CheckSkipped("it has no image side: its patch size is {}", spec.patch_size);
  }
  return spec;
}

const at::Tensor& BackboneSubject::pixels() {
  if (!pixels_.defined()) {
    const int64_t size = spec().input_size();
    pixels_ = drawn_pixels(2, size, size, kSeed).to(settings.context.device);
  }
  return pixels_;
}

const ImageFeatures& BackboneSubject::features() {
  if (failed_) {
    throw CheckSkipped("encode does not work, see above");
  }
  if (features_ == nullptr) {
    const at::Tensor& images = pixels();
    failed_ = true;
    const c10::AutoGradMode gradients(true);
    features_ = std::make_shared<const ImageFeatures>(encode(*this, images));
    failed_ = false;
  }
  return *features_;
}

const ImageFeatures& BackboneSubject::features_alone() {
  (void)features();
  if (alone_ == nullptr) {
    alone_ = std::make_shared<const ImageFeatures>(encode(*this, pixels().slice(0, 0, 1)));
  }
  return *alone_;
}

std::span<const CheckOf<BackboneSubject>> backbone_checks() {
  return kChecks;
}

}  // namespace patchioner
