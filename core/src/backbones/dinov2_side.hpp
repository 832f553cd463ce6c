// The image side of every backbone whose patches are DINOv2's: options, tower, input, tokens and attention
// map (spec/03 sections 1, 3, 8).
#pragma once

#include <initializer_list>
#include <map>
#include <patchioner/backbone.hpp>
#include <patchioner/plugin.hpp>
#include <span>
#include <string>

#include "backbones/backbone_options.hpp"
#include "backbones/dinov2_pass.hpp"
#include "backbones/lazy_tower.hpp"
#include "checkpoint/checkpoint_family.hpp"

namespace patchioner {

/// Where a DINOv2 comes from and what its file does not say.
struct Dinov2Options : ImageOptions {
  std::string weights;
  std::string config;
  int64_t heads = 0;
  Value map_heads = Value("reference");
};

/// Adds the options of a DINOv2 to the declaration of `Options`, a struct derived from Dinov2Options.
template <class Options>
void declare_dinov2_options(ParameterList<Options>& list) {
  using Text = std::string Options::*;
  constexpr double kMostHeads = 1024;
  list.add("weights", static_cast<Text>(&Dinov2Options::weights),
           "DINOv2 checkpoint: official, Hugging Face or timm, told by content; empty: no image side")
      .path();
  list.add("config", static_cast<Text>(&Dinov2Options::config),
           "Hugging Face config.json of it; empty: the one beside the weights, if any")
      .path();
  list.add("heads", static_cast<int64_t Options::*>(&Dinov2Options::heads),
           "attention heads; 0: from the configuration file, else width / 64")
      .range(0, kMostHeads);
  declare_image_options(list);
  list.add("map_heads", static_cast<Value Options::*>(&Dinov2Options::map_heads),
           "heads of the attention map: reference (16, or 6 at width 384), model, or a number");
}

class Dinov2ImageSide {
 public:
  /// No image side.
  Dinov2ImageSide() = default;

  /// Loads `options.weights`, which must be of one of `families`: DINOv2, and DINO, whose tower is the same
  /// without LayerScale; without weights there is no image side. For messages `plugin` is the plugin's name
  /// and `wanted` the clause about `families`. Errors as of load_dinov2, and of kind checkpoint for another
  /// family, of kind config for heads of the map that do not divide the width.
  Dinov2ImageSide(const Dinov2Options& options, const PluginContext& context, std::string plugin,
                  std::initializer_list<CheckpointFamily> families, std::string_view wanted);

  /// Whether there is one.
  explicit operator bool() const { return static_cast<bool>(image_); }

  const ImageSpec& spec() const { return spec_; }

  /// What the network looks like; known without building it.
  const VitConfig& config() const { return image_.config(); }

  /// One pass over pixels [B,3,H,W]. An Error of kind config when there is no image side.
  Dinov2Pass pass(const at::Tensor& pixels, std::span<const std::string> intermediates = {}) const;

  /// What a backbone hands out of DINOv2's own tokens, after the final norm.
  ImageFeatures encode(const at::Tensor& pixels, std::span<const std::string> intermediates) const;

  /// "position_table": grid (rows, columns) -> [1+N,D].
  at::Tensor position_table(const std::map<std::string, at::Tensor>& inputs) const;

 private:
  const VisionTransformer& tower() const;

  LazyTower<VisionTransformer> image_;
  ImageSpec spec_;
  MapSettings map_;
  at::Device device_ = at::kCPU;
  std::string plugin_;
};

}  // namespace patchioner
