#include "regionclip_backbone.hpp"

#include <ATen/core/grad_mode.h>

#include <patchioner/error.hpp>

#include "backbones/named_results.hpp"
#include "checkpoint/checkpoint_family.hpp"
#include "image/pixel_norm.hpp"
#include "nn/roi_align.hpp"
#include "nn/unit_length.hpp"
#include "region_boxes.hpp"

namespace patchioner {
namespace {

// Regions pooled together: enough for two cores, and few enough that their maps (0.8 MB a region in front of
// layer4, three times that within) stay below 100 MB however many regions there are.
constexpr size_t kRegionsTogether = 16;

/// One pass over B images, from which results are made when they are asked for.
struct Pass {
  Pass(const RegionClipImage& tower, const at::Tensor& pixels, bool pooled_cells)
      : inner(tower.resnet().inner_map(pixels)), last(tower.resnet().last_map(inner)) {
    const AttentionPool& pool = tower.pool();
    rows = pooled_cells ? pool.pool(last, PooledRows::all, &logits)
                        : at::cat({pool.pool(last, PooledRows::mean, &logits), pool.project_cells(last)}, 1);
  }

  at::Tensor inner;   // [B,16w,H/16,W/16]
  at::Tensor last;    // [B,32w,H/32,W/32]
  at::Tensor logits;  // [B,H,G] of the pool
  at::Tensor rows;    // [B,1+G,D] before they are brought to unit length
};

at::Tensor plain_map(const at::Tensor& map) {
  return map.to(at::kFloat).contiguous();
}

/// Everything that `encode` can hand out by name.
const NamedResults<Pass>& results() {
  static const NamedResults<Pass> list({
      {"layer3", [](const Pass& pass) { return plain_map(pass.inner); }},
      {"layer4", [](const Pass& pass) { return plain_map(pass.last); }},
      {"pooled_unnormalized", [](const Pass& pass) { return pass.rows; }},
      {"attn_logits", [](const Pass& pass) { return pass.logits; }},
      {"attn_map", [](const Pass& pass) { return attention_map(pass.logits, MapReduce::logits); }},
      {"attn_maps_heads", [](const Pass& pass) { return at::softmax(pass.logits, -1); }},
  });
  return list;
}

}  // namespace

RegionClipBackbone::RegionClipBackbone(RegionClipOptions options, const PluginContext& context)
    : options_(std::move(options)),
      context_(context),
      file_(StateDict::open(options_.weights), "weights"),
      text_file_(StateDict::open(options_.text_weights.empty() ? options_.weights : options_.text_weights)) {
  const at::NoGradGuard no_gradients;
  image_ = file_.image(options_.heads, context);
  if (image_) {
    dim_ = image_.config().pool.dim;
    set_spec();
  }
  load_texts();
}

void RegionClipBackbone::set_spec() {
  const PatchGrid grid{ResNetConfig::kStride, image_.config().pool.position_rows, false};
  spec_ = image_spec_of(options_, grid, kClipNorm.mean, kClipNorm.std);
  const int64_t input = spec_.input_size();
  if (ModifiedResNet::cells(input) != spec_.rows()) {
    throw Error(
        ErrorKind::config,
        "a network input of {} pixels ends one pixel short of a patch of {}, which the network rounds up; "
        "set `resolution` to {}",
        input, spec_.patch_size, input + 1);
  }
}

void RegionClipBackbone::load_texts() {
  const LazyTower<ClipText> tower = options_.text_weights.empty()
                                        ? file_.text(options_.text_heads, context_)
                                        : load_texts_of(text_file_, options_.text_heads, context_);
  if (!tower) {
    return;
  }
  text_ = std::make_unique<ClipTextEncoder>(tower, options_, "regionclip");
  const int64_t text_dim = text_->config().dim;
  if (image_ && text_dim != dim_) {
    throw Error(
        ErrorKind::config,
        "the image tower of {} leads to {} dimensions, the language encoder of {} to {}; they belong to "
        "different models",
        file_.description(), dim_, text_file_.description(), text_dim);
  }
  dim_ = text_dim;
}

BackboneCapabilities RegionClipBackbone::capabilities() const {
  BackboneCapabilities has;
  has.global = has.attention = has.regions = static_cast<bool>(image_);
  has.text = text_ != nullptr;
  return has;
}

std::string RegionClipBackbone::text_fingerprint() const {
  if (text_ == nullptr) {
    return {};
  }
  std::string settings = "text_clean=" + options_.text_clean;
  if (identify(text_file_).family == CheckpointFamily::clip) {
    // As the backbone clip says it: what was made with one serves the other.
    settings += "\nround_weights_fp16=false";
  }
  return "clip_text:" + text_->digest(text_file_.digest(), settings);
}

std::vector<std::string> RegionClipBackbone::intermediate_names() const {
  return results().names();
}

const RegionClipImage& RegionClipBackbone::image_tower() const {
  if (!image_) {
    throw Error(ErrorKind::checkpoint,
                "{} holds no image tower (backbone.*); set `weights` to RegionCLIP's pretrained file "
                "(regionclip_pretrained-cc_rn50.pth) to encode images",
                file_.description());
  }
  return *image_;
}

const ClipTextEncoder& RegionClipBackbone::text_encoder() const {
  if (text_ == nullptr) {
    throw Error(
        ErrorKind::checkpoint,
        "{} holds no language encoder (lang_encoder.*); set `text_weights` to the pretrained file that "
        "has it (regionclip_pretrained-cc_rn50.pth) to encode texts",
        file_.description());
  }
  return *text_;
}

ImageFeatures RegionClipBackbone::encode(const at::Tensor& pixels,
                                         std::span<const std::string> intermediates) const {
  const at::NoGradGuard no_gradients;
  const auto wanted = results().makers(intermediates, "regionclip");
  const Pass pass(image_tower(), pixels.to(context_.device), options_.use_attnpool_for_spatial_feats);
  const at::Tensor tokens = unit_rows(pass.rows);  // [B,1+G,D]
  const int64_t rows = pass.last.size(2);
  const int64_t columns = pass.last.size(3);
  ImageFeatures features =
      grid_features(tokens.slice(1, 1), rows, columns, tokens.select(1, 0),
                    attention_map(pass.logits, map_reduce_of(options_)), pixels.device());
  add_results(wanted, pass, pixels.device(), features);
  return features;
}

at::Tensor RegionClipBackbone::encode_text(std::span<const std::string> texts) const {
  return text_encoder().encode(texts);
}

at::Tensor RegionClipBackbone::encode_token_ids(const at::Tensor& ids) const {
  return text_encoder().encode_ids(ids);
}

RegionFeatures RegionClipBackbone::encode_regions(const at::Tensor& pixels, std::span<const Region> regions,
                                                  const ImageGeometry& geometry) const {
  const at::NoGradGuard no_gradients;
  const RegionClipImage& tower = image_tower();
  check_region_pixels(pixels, geometry);
  RegionFeatures result;
  const std::vector<PixelBox> boxes =
      region_boxes(regions, geometry, pixels.size(3), pixels.size(2), result.warnings);
  if (boxes.empty()) {
    result.features = at::zeros({0, dim_}, pixels.options().dtype(at::kFloat));
    return result;
  }
  const at::Tensor map = tower.resnet().inner_map(pixels.to(context_.device))[0].to(at::kFloat);  // [16w,h,w]
  // layer4 halves what is pooled, so that it meets the pool's position table at its own size.
  const int64_t size = 2 * position_grid(tower.pool().config().position_rows);
  constexpr double kScale = 1.0 / static_cast<double>(ResNetConfig::kInnerStride);
  std::vector<at::Tensor> parts;
  for (size_t start = 0; start < boxes.size(); start += kRegionsTogether) {
    const size_t count = std::min(kRegionsTogether, boxes.size() - start);
    const at::Tensor cuts =
        roi_align(map, std::span(boxes).subspan(start, count), kScale, size);             // [R,16w,S,S]
    parts.push_back(tower.pool().pool(tower.resnet().last_map(cuts), PooledRows::mean));  // [R,1,D]
  }
  result.features = unit_rows(at::cat(parts).squeeze(1)).to(pixels.device());  // [R,D]
  return result;
}

at::Tensor RegionClipBackbone::probe(const std::string& name,
                                     const std::map<std::string, at::Tensor>& inputs) const {
  if (name == "position_table") {
    const at::NoGradGuard no_gradients;
    const auto [rows, columns] = probe_grid(inputs);
    return image_tower().pool().positions(rows, columns).clone().to(at::kCPU);  // [1+G,E]
  }
  return Backbone::probe(name, inputs);
}

PATCHIONER_PLUGIN(backbone, regionclip, "1.0",
                  "RegionCLIP: a ResNet with attention pool; patches, the image, and boxes pooled natively",
                  RegionClipBackbone, RegionClipOptions)

}  // namespace patchioner
