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

ClipLoadOptions text_options(int64_t heads, const PluginContext& context) {
  ClipLoadOptions load;
  load.what = "RegionCLIP's language encoder";
  load.choices.text_heads = heads;
  load.image = false;
  load.device = context.device;
  load.precision = context.precision;
  return load;
}

}  // namespace

RegionClipFile::RegionClipFile(const StateDict& file, const char* option)
    : state_dict_(file), description_(file.description()) {
  const std::string wanted =
      fmt::format("`{}` must be a RegionCLIP such as {}, or a CLIP with a ResNet", option, kOfficialFiles);
  require_family(file, {CheckpointFamily::regionclip, CheckpointFamily::clip_resnet}, wanted);
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
  return state_dict_.contains_prefix(image_prefix_ + "layer1.") ||
         state_dict_.contains_prefix(image_prefix_ + "attnpool.");
}

bool RegionClipFile::has_text() const {
  return ClipCheckpoint(state_dict_, {image_prefix_, text_prefix_}).has_text_tower();
}

std::optional<int64_t> RegionClipFile::size_of(const std::string& name, size_t axis) const {
  return find_size(shape_of({{name}}, state_dict_), axis);
}

LazyTower<RegionClipImage> RegionClipFile::image(int64_t heads, const PluginContext& context) const {
  if (!has_image()) {
    return {};
  }
  RegionClipImageConfig config;
  const std::optional<int64_t> width = size_of(image_prefix_ + "layer1.0.conv1.weight", 0);
  config.resnet.width = width.value_or(1);
  for (size_t layer = 0; layer < config.resnet.blocks.size(); ++layer) {
    // A layer without blocks is asked for one, so that the report of missing tensors names it.
    const std::string prefix = fmt::format("{}layer{}.", image_prefix_, layer + 1);
    config.resnet.blocks[layer] = std::max<int64_t>(1, block_count(state_dict_, prefix));
  }
  config.pool.width = config.resnet.channels();
  config.pool.heads =
      head_count_of(heads, width ? std::optional(config.pool.width) : std::nullopt, state_dict_, "heads");
  const std::string positions = image_prefix_ + "attnpool.positional_embedding";
  config.pool.position_rows = size_of(positions, 0).value_or(1);
  config.pool.dim = size_of(image_prefix_ + "attnpool.c_proj.weight", 0).value_or(1);
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
  position_grid(config.pool.position_rows, fmt::format("{}: {}", description_, positions));
  return tower;
}

LazyTower<ClipText> RegionClipFile::text(int64_t heads, const PluginContext& context) const {
  if (!has_text()) {
    return {};
  }
  ClipSettings settings;
  settings.text_activation = Activation::quick_gelu;
  settings.text_heads =
      head_count_of(heads, size_of(text_prefix_ + "ln_final.weight", 0), state_dict_, "text_heads");
  return load_clip(ClipCheckpoint(state_dict_, {image_prefix_, text_prefix_}), settings,
                   text_options(heads, context))
      .text;
}

LazyTower<ClipText> load_texts_of(const StateDict& file, int64_t heads, const PluginContext& context) {
  if (identify(file).family == CheckpointFamily::clip) {
    return load_text_tower(file, "`text_weights` must hold texts: a RegionCLIP or any CLIP with a text tower",
                           text_options(heads, context))
        .tower;
  }
  const RegionClipFile texts(file, "text_weights");
  if (!texts.has_text()) {
    throw Error(ErrorKind::checkpoint, "{} holds no language encoder, which `text_weights` is for",
                texts.description());
  }
  return texts.text(heads, context);
}

}  // namespace patchioner
