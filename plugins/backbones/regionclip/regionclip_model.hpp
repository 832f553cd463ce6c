// RegionCLIP's checkpoints and the two towers in them (spec/02 section 7.3).
#pragma once

#include <optional>
#include <patchioner/plugin.hpp>
#include <string>

#include "backbones/lazy_tower.hpp"
#include "checkpoint/state_dict.hpp"
#include "nn/attention_pool.hpp"
#include "nn/clip_text.hpp"
#include "nn/modified_resnet.hpp"

namespace patchioner {

/// What an image tower looks like.
struct RegionClipImageConfig {
  ResNetConfig resnet;
  AttentionPoolConfig pool;
};

/// A ResNet and the attention pool behind it. [any-thread]
class RegionClipImage {
 public:
  RegionClipImage(const RegionClipImageConfig& config, const WeightSource& source, at::ScalarType precision)
      : config_(config),
        resnet_(config.resnet, source, precision),
        pool_(config.pool, with_prefix(source, "attnpool."), precision) {}

  const ModifiedResNet& resnet() const { return resnet_; }
  const AttentionPool& pool() const { return pool_; }
  const RegionClipImageConfig& config() const { return config_; }

 private:
  RegionClipImageConfig config_;
  ModifiedResNet resnet_;
  AttentionPool pool_;
};

/// A checkpoint in detectron2's layout ("backbone.", "lang_encoder."; what else it holds - a teacher, a
/// detector's heads - is left out) or a CLIP with a ResNet under OpenAI's names ("visual.").
class RegionClipFile {
 public:
  /// Recognises the layout by content. Throws an Error of kind checkpoint for what is neither, saying what it
  /// is; `option` named it.
  RegionClipFile(const StateDict& file, const char* option);

  /// Whether any tensor of the tower is there.
  bool has_image() const;
  bool has_text() const;

  /// The towers; nothing for one that the file lacks. `heads` 0 is found out. Throws Error: checkpoint for
  /// missing and mis-shaped tensors (all of them in one table) and a position table of no square grid, config
  /// for heads that cannot be found out or do not divide the width.
  LazyTower<RegionClipImage> image(int64_t heads, const PluginContext& context) const;
  LazyTower<ClipText> text(int64_t heads, const PluginContext& context) const;

  std::string description() const { return description_; }

 private:
  std::optional<int64_t> size_of(const std::string& name, size_t axis) const;

  StateDict state_dict_;  // of the two towers alone, under the file's own names
  std::string description_;
  std::string image_prefix_ = "visual.";
  std::string text_prefix_;
};

/// The text tower of what `text_weights` names: a RegionCLIP, or the CLIP that one was distilled from, of any
/// layout and with either kind of image tower. Errors as above, and for a file without texts.
LazyTower<ClipText> load_texts_of(const StateDict& file, int64_t heads, const PluginContext& context);

}  // namespace patchioner
