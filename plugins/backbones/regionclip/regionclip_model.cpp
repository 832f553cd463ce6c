#include "regionclip_model.hpp"

#include <patchioner/error.hpp>

#include "backbones/checkpoint_names.hpp"
#include "backbones/clip_model.hpp"
#include "backbones/head_count.hpp"
#include "checkpoint/checkpoint_family.hpp"

namespace patchioner {
namespace {

constexpr const char* kOfficialFiles =
    "regionclip_pretrained-cc_rn50.pth or regionclip_pretrained-cc_rn50x4.pth";

int64_t heads_of(int64_t width, int64_t chosen, const char* what, const char* option) {
  if (chosen > 0) {
    return chosen;
  }
  if (width % kUsualHeadWidth != 0) {
    throw Error(ErrorKind::config,
                "the {} is {} wide, which is no multiple of {}; set `{}` to its head count", what, width,
                kUsualHeadWidth, option);
  }
  return width / kUsualHeadWidth;
}

}  // namespace

RegionClipFile::RegionClipFile(const StateDict& file, const char* option)
    : state_dict_(file), description_(file.description()) {
  const std::string wanted =
      fmt::format("`{}` must be a RegionCLIP such as {}, or a CLIP with a ResNet", option, kOfficialFiles);
  of_clip_ = std::string_view(option) == "text_weights" && identify(file).family == CheckpointFamily::clip;
  if (!of_clip_) {
    require_family(file, {CheckpointFamily::regionclip, CheckpointFamily::clip_resnet}, wanted);
  }
  if (file.contains_prefix("backbone.") || file.contains_prefix("lang_encoder.")) {
    image_prefix_ = "backbone.";
    text_prefix_ = "lang_encoder.";
    state_dict_ = file.renamed([this](const std::string& name) {
      return name.starts_with(image_prefix_) || name.starts_with(text_prefix_) ? name : std::string();
    });
  }
  if (!has_image() && !has_text()) {
    refuse_checkpoint(file, wanted);
  }
  if (has_image() && !state_dict_.contains_prefix(image_prefix_ + "attnpool.")) {
    throw Error(ErrorKind::checkpoint,
                "{} has a ResNet without the attention pool ({}attnpool.*) that leads to the space of texts; "
                "take RegionCLIP's {}",
                description_, image_prefix_, kOfficialFiles);
  }
}

bool RegionClipFile::has_image() const {
  return state_dict_.contains(image_prefix_ + "layer1.0.conv1.weight");
}

bool RegionClipFile::has_text() const {
  return state_dict_.contains(text_prefix_ + "token_embedding.weight");
}

int64_t RegionClipFile::size_of(const std::string& name, size_t axis) const {
  return size_at(shape_of({{name}}, state_dict_), axis);
}

LazyTower<RegionClipImage> RegionClipFile::image(int64_t heads, const PluginContext& context) const {
  if (!has_image()) {
    return {};
  }
  RegionClipImageConfig config;
  config.resnet.width = size_of(image_prefix_ + "layer1.0.conv1.weight", 0);
  for (size_t layer = 0; layer < config.resnet.blocks.size(); ++layer) {
    // A layer without blocks is asked for one, so that the report of missing tensors names it.
    const std::string prefix = fmt::format("{}layer{}.", image_prefix_, layer + 1);
    config.resnet.blocks[layer] = std::max<int64_t>(1, block_count(state_dict_, prefix));
  }
  config.pool.width = config.resnet.channels();
  config.pool.heads = heads_of(config.pool.width, heads, "attention pool", "heads");
  config.pool.position_rows = size_of(image_prefix_ + "attnpool.positional_embedding", 0);
  config.pool.dim = size_of(image_prefix_ + "attnpool.c_proj.weight", 0);
  TensorLoader loader(state_dict_, "a RegionCLIP image tower");
  for (const std::string& name : state_dict_.names()) {
    if (!name.starts_with(image_prefix_) || name.ends_with(".num_batches_tracked")) {
      loader.ignore(name);
    }
  }
  const WeightReader reader = [prefix = image_prefix_](TensorLoader& through, at::Device device) {
    return with_prefix(weights_from(through, device), prefix);
  };
  const LazyTower<RegionClipImage> tower = lazy_tower<RegionClipImage>(
      loader, reader, context.device, [config, precision = context.precision](const WeightSource& source) {
        return std::make_shared<RegionClipImage>(config, source, precision);
      });
  loader.finish();
  return tower;
}

LazyTower<ClipText> RegionClipFile::text(int64_t heads, const PluginContext& context) const {
  if (!has_text()) {
    return {};
  }
  ClipSettings settings;
  settings.text_activation = Activation::quick_gelu;
  settings.text_heads =
      heads_of(size_of(text_prefix_ + "ln_final.weight", 0), heads, "language encoder", "text_heads");
  ClipLoadOptions load;
  load.what = "RegionCLIP's language encoder";
  load.image = false;
  load.device = context.device;
  load.precision = context.precision;
  return load_clip(ClipCheckpoint(state_dict_, {image_prefix_, text_prefix_}), settings, load).text;
}

}  // namespace patchioner
