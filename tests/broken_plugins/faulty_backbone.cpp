// Sees the mean colours of patches of four pixels, and wrongly when it is told to.
#include <thread>

#include "faulty.hpp"

namespace {

using namespace patchioner;
using faulty::enter;

constexpr int64_t kDim = 6;
constexpr int64_t kPatch = 4;

struct FaultyOptions : faulty::FaultOptions {
  bool regions = true;
};

void declare(ParameterList<FaultyOptions>& list) {
  faulty::declare_fault(list);
  list.add("regions", &FaultyOptions::regions, "whether it encodes regions itself");
}

class Faulty : public Backbone {
 public:
  Faulty(FaultyOptions options, const PluginContext&) : options_(std::move(options)) {
    enter(options_, "constructor");
    spec_.resize_dim = 16;
    spec_.patch_size = kPatch;
    spec_.std = {1, 1, 1};
    if (is("zero_std")) {
      spec_.std[1] = 0;
    }
    if (is("no_patch")) {
      spec_.patch_size = 32;
    }
  }
  ~Faulty() override {
    if (is("destructor")) {
      std::abort();
    }
  }

  const ImageSpec& image_spec() const override {
    enter(options_, "image_spec");
    return spec_;
  }
  int64_t dim() const override {
    enter(options_, "dim");
    return kDim;
  }
  BackboneCapabilities capabilities() const override {
    enter(options_, "capabilities");
    BackboneCapabilities can;
    can.regions = options_.regions;
    return can;
  }
  std::string text_fingerprint() const override {
    enter(options_, "text_fingerprint");
    return "faulty";
  }
  std::vector<std::string> intermediate_names() const override {
    enter(options_, "intermediate_names");
    return {"means"};
  }
  at::Tensor probe(const std::string& name, const std::map<std::string, at::Tensor>& inputs) const override {
    enter(options_, "probe");
    return is("any_probe") ? at::ones({1}) : Backbone::probe(name, inputs);
  }
  at::Tensor encode_token_ids(const at::Tensor& ids) const override {
    enter(options_, "encode_token_ids");
    return at::ones({ids.size(0), is("token_ids") ? kDim + 1 : kDim});
  }

  ImageFeatures encode(const at::Tensor& pixels, std::span<const std::string> names) const override {
    enter(options_, "encode");
    for (const std::string& name : names) {
      if (name != "means" && !is("any_intermediate")) {
        throw Error(ErrorKind::data, "there is no intermediate '{}'", name);
      }
    }
    if (!is("bad_pixels") && (pixels.dim() != 4 || pixels.size(1) != 3)) {
      throw Error(ErrorKind::data, "these are no pixels [B,3,H,W]");
    }
    if (is("only_its_size") && pixels.size(2) != spec_.resize_dim) {
      throw std::runtime_error("I was not made for this");
    }
    if (is("in_place")) {
      at::Tensor(pixels).mul_(2);
    }
    const at::Tensor means =
        pixels.unfold(2, kPatch, kPatch).unfold(3, kPatch, kPatch).mean({4, 5});  // [B,3,rows,columns]
    at::Tensor patches = at::cat({means, means.square()}, 1).permute({0, 2, 3, 1}).contiguous();
    if (is("batch")) {
      patches = patches - patches.mean(0, true);
    }
    if (is("threads")) {
      patches = patches * at::get_num_threads();
    }
    if (is("inference")) {
      patches = faulty::doubled_in_inference(patches);
    }
    if (is("keeps_inference")) {
      if (!kept_.defined()) {
        kept_ = at::ones({1});
      }
      kept_.mul_(1);  // which LibTorch refuses where it was made in inference mode, and this is none
    }
    if (is("dropout")) {
      patches = at::dropout(patches, 0.5, true);
    }
    ImageFeatures features;
    features.global = patches.mean({1, 2});
    features.attention = at::softmax(means.sum(1).flatten(1), 1).reshape({-1, means.size(2), means.size(3)});
    if (is("attention_sum")) {
      features.attention = features.attention * 0.9;
    }
    if (is("attention_sign")) {
      features.attention = features.attention * 3 - 2.0 / static_cast<double>(means.size(2) * means.size(3));
    }
    if (is("no_global")) {
      features.global = at::Tensor();
    }
    features.patches = is("shape")      ? patches.permute({0, 3, 1, 2})
                       : is("double")   ? patches.to(at::kDouble)
                       : is("nan")      ? faulty::spoilt(patches)
                       : is("gradient") ? patches.clone().requires_grad_(true) * 1
                                        : patches;
    if (!names.empty() && !is("forgets_intermediates")) {
      features.intermediates["means"] = means;
    }
    return features;
  }

  at::Tensor encode_text(std::span<const std::string> texts) const override {
    enter(options_, "encode_text");
    const auto count = static_cast<int64_t>(texts.size());
    if (is("some_texts") && count == 0) {
      return at::zeros({1, kDim});
    }
    at::Tensor rows = at::zeros({count, kDim});
    for (int64_t i = 0; i < count; ++i) {
      const std::string& text = texts[static_cast<size_t>(i)];
      if (is("no_empty_text") && text.empty()) {
        throw std::out_of_range("text[0]");
      }
      for (size_t at = 0; at < text.size(); ++at) {
        rows[i][static_cast<int64_t>(at) % kDim] +=
            static_cast<double>(static_cast<unsigned char>(text[at])) / 64;
      }
      rows[i] += is("text_order") ? static_cast<double>(i) : 0.0;
    }
    if (is("text_threads")) {
      rows = rows * at::get_num_threads();
    }
    if (is("text_inference")) {
      rows = faulty::doubled_in_inference(rows);
    }
    if (is("same_text")) {
      rows = at::ones({count, kDim});
    }
    return is("text_rows") ? rows.slice(0, 1) : rows;
  }

  RegionFeatures encode_regions(const at::Tensor& pixels, std::span<const Region> regions,
                                const ImageGeometry& geometry) const override {
    if (!options_.regions && !is("undeclared_regions")) {
      return Backbone::encode_regions(pixels, regions, geometry);
    }
    enter(options_, "encode_regions");
    const auto count = static_cast<int64_t>(regions.size());
    if (is("some_regions") && count == 0) {
      return {at::Tensor(), {}};
    }
    for (const Region& region : regions) {
      const auto* mask = std::get_if<Mask>(&region.shape);
      const bool is_usual = mask != nullptr && mask->pixels.sum().item<int64_t>() > 1;
      if (is("regions_refused") || (is("odd_refused") && !is_usual)) {
        throw Error(ErrorKind::data, "not this one");
      }
    }
    const at::Tensor mean = pixels.mean({0, 2, 3}).repeat({2});  // [D]
    at::Tensor features = mean.unsqueeze(0).repeat({count, 1}).contiguous();
    for (int64_t i = 0; i < count; ++i) {
      features[i] *= static_cast<double>(1 + regions[static_cast<size_t>(i)].shape.index());
    }
    if (is("region_threads")) {
      features = features * at::get_num_threads();
    }
    if (is("region_at_once") && std::this_thread::get_id() != made_by_) {
      features = features * 2;
    }
    if (is("region_inference")) {
      features = faulty::doubled_in_inference(features);
    }
    if (is("region_batch")) {
      features = features - features.mean(0, true);
    }
    RegionFeatures result{features, {}};
    if (is("region_warning")) {
      result.warnings.push_back({regions.size() + 7, "somewhere"});
    }
    return result;
  }

 private:
  bool is(std::string_view fault) const { return options_.fault == fault; }

  FaultyOptions options_;
  ImageSpec spec_;
  mutable at::Tensor kept_;
  std::thread::id made_by_ = std::this_thread::get_id();
};

}  // namespace

PATCHIONER_PLUGIN(backbone, faulty_backbone, "1", "Mean colours, and whatever fault is asked for", Faulty,
                  FaultyOptions)
