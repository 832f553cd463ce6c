// Takes the mean of all patches, and does something wrong when it is told to.
#include "faulty.hpp"

namespace {

using namespace patchioner;
using faulty::enter;

struct FaultyOptions : faulty::FaultOptions {
  std::string source = "patches";
  std::string empty_region = "nearest";
};

void declare(ParameterList<FaultyOptions>& list) {
  faulty::declare_fault(list);
  list.add("source", &FaultyOptions::source, "what it reads").choices({"patches", "global"});
  list.add("empty_region", &FaultyOptions::empty_region, "what a region of nothing gets")
      .choices({"nearest", "nan"});
}

class Faulty : public Aggregator {
 public:
  Faulty(FaultyOptions options, const PluginContext&) : options_(std::move(options)) {
    enter(options_, "constructor");
  }

  FeatureSource source() const override {
    enter(options_, "source");
    return options_.source == "global" ? FeatureSource::global : FeatureSource::patches;
  }
  bool needs_attention() const override {
    enter(options_, "needs_attention");
    return is("needs_attention");
  }

  RegionWeights weights(std::span<const Region> regions, const ImageGeometry& geometry,
                        const PatchFeatures& features) const override {
    enter(options_, "weights");
    if (options_.source == "global" && !is("gives_weights")) {
      return {};
    }
    const auto count = static_cast<int64_t>(regions.size());
    if (is("some_regions") && count == 0) {
      throw std::out_of_range("regions[0]");
    }
    if (is("large_grid") && geometry.rows == 1) {
      return {at::zeros({count, 1}), at::ones({count}), {}};
    }
    if (is("cropped") && geometry.spec.keep_img_ratio) {
      throw std::logic_error("crops are not supported");
    }
    RegionWeights result;
    result.weights = at::full({count, geometry.patches()}, 1.0 / static_cast<double>(geometry.patches()));
    result.scale = at::ones({count});
    for (int64_t i = 0; i < count; ++i) {
      const Region& region = regions[static_cast<size_t>(i)];
      check(region, geometry);
      refuse(region, geometry);
      const auto* box = std::get_if<Box>(&region.shape);
      const auto* set = std::get_if<BoxSet>(&region.shape);
      if (is("tiny") && box != nullptr && box->width < 1) {
        result.weights[i].zero_();
      }
      if ((is("nan_empty") && set != nullptr && set->boxes.empty()) ||
          (is("nan_tiny") && box != nullptr && box->width < 1)) {
        result.weights[i].fill_(std::numeric_limits<float>::quiet_NaN());
      }
      if (is("empty") && set != nullptr && set->boxes.empty()) {
        result.weights[i].zero_();
      }
    }
    if (is("nan_rows") && count > 0) {
      result.weights[0].fill_(std::numeric_limits<float>::quiet_NaN());
    }
    if (is("inference")) {
      result.weights = faulty::doubled_in_inference(result.weights);
    }
    if (is("in_place")) {
      at::Tensor(features.patches).zero_();
    }
    if (is("attention")) {
      result.weights = result.weights * features.attention.sum();
    }
    if (is("neighbours") && count > 1) {
      result.weights.slice(1, 0, 1).add_(0.5);
      result.weights.div_(result.weights.sum(1, true));
    }
    if (is("threads") && count > 0) {
      result.weights[0][0] += at::get_num_threads();
      result.weights.div_(result.weights.sum(1, true));
    }
    if (is("random")) {
      result.weights = at::softmax(at::randn_like(result.weights), 1);
    }
    if (is("sum")) {
      result.weights = result.weights * 2;
    }
    if (is("nan")) {
      result.weights = faulty::spoilt(result.weights);
    }
    if (is("shape")) {
      result.weights = result.weights.reshape({count, geometry.rows, geometry.columns});
    }
    if (is("double")) {
      result.weights = result.weights.to(at::kDouble);
    }
    if (is("scale")) {
      result.scale = at::ones({count, 1});
    }
    if (is("warning")) {
      result.warnings.push_back({regions.size(), "beside"});
    }
    return result;
  }

 private:
  bool is(std::string_view fault) const { return options_.fault == fault; }

  void check(const Region& region, const ImageGeometry& geometry) const {
    if (is("bad_regions")) {
      return;
    }
    if (const auto* patch = std::get_if<Patch>(&region.shape);
        patch != nullptr && (patch->row < 0 || patch->row >= geometry.rows)) {
      throw Error(ErrorKind::data, "no such patch");
    }
    if (const auto* mask = std::get_if<Mask>(&region.shape);
        mask != nullptr && mask->pixels.size(0) != geometry.image_height) {
      throw Error(ErrorKind::data, "a mask of another size");
    }
  }

  /// What an aggregator may refuse.
  void refuse(const Region& region, const ImageGeometry& geometry) const {
    if ((is("boxes_refused") && std::holds_alternative<Box>(region.shape)) ||
        (is("whole_refused") && std::holds_alternative<WholeImage>(region.shape)) ||
        (is("crops_refused") && geometry.spec.keep_img_ratio) ||
        (is("one_patch_refused") && geometry.patches() == 1)) {
      throw Error(ErrorKind::data, "not this one");
    }
  }

  FaultyOptions options_;
};

}  // namespace

PATCHIONER_PLUGIN(aggregator, faulty_aggregator, "1",
                  "The mean of all patches, and whatever fault is asked for", Faulty, FaultyOptions)
