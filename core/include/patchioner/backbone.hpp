// The interface of a backbone: images to a grid of patch features, texts into the same space.
//
// A model that was trained on regions may have no use for a patch grid: AlphaCLIP sees the region as a fourth
// channel of the image and must run once a region, RegionCLIP pools a feature map inside the box. Such a
// model is a backbone with `capabilities().regions` that implements `encode_regions`; the aggregator `native`
// asks for it. It still has `encode`, for the whole image: the aggregators `cls` and `crop`, and those of
// patches where its grid means something. Nothing else in the chain knows the difference.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <map>
#include <patchioner/geometry.hpp>
#include <patchioner/region.hpp>
#include <span>
#include <string>
#include <vector>

namespace patchioner {

/// What one pass over B images gives. All tensors are float32; an undefined tensor means "this backbone has
/// none".
struct ImageFeatures {
  at::Tensor patches;    ///< [B,rows,columns,D], row 0 at the top
  at::Tensor global;     ///< [B,D] the class token, or undefined
  at::Tensor attention;  ///< [B,rows,columns] the last block's CLS-to-patch map, each image's summing to 1,
                         ///< or undefined
  std::map<std::string, at::Tensor> intermediates;  ///< what was asked for by name
};

/// What a backbone has beside patches. The host checks a config against it before any image is read.
struct BackboneCapabilities {
  bool global = true;     ///< fills ImageFeatures::global
  bool attention = true;  ///< fills ImageFeatures::attention
  bool text = true;       ///< encode_text works
  bool regions = false;   ///< encode_regions works (region-supervised models: AlphaCLIP, RegionCLIP)
};

/// Regions of one image as the backbone encoded them itself.
struct RegionFeatures {
  at::Tensor features;                  ///< [R,D] float32, one row a region, in the order asked for
  std::vector<RegionWarning> warnings;  ///< regions that were taken for something else (an empty mask ...)
};

/// A vision-language model. Objects are made by the plugin's factory, which loads the weights; they are
/// immutable afterwards.
class Backbone {
 public:
  virtual ~Backbone() = default;

  /// What images are made into; its patch size is 0 when there is no image side (a text tower alone).
  virtual const ImageSpec& image_spec() const = 0;

  /// D, the width of the shared space.
  virtual int64_t dim() const = 0;

  /// All but regions, unless said otherwise; always the same.
  virtual BackboneCapabilities capabilities() const { return {}; }

  /// Identifies what turns a text into its vector: the text side's weights, its settings and its tokenizer (a
  /// digest of them), so that a memory bank or decoder made with another one can be recognised, and encoded
  /// texts can be kept. Precision and device are no part of it, nor whether texts that are too long are cut
  /// or refused. Empty when there is no text side.
  virtual std::string text_fingerprint() const { return {}; }

  /// The names that `encode` understands as intermediates ("x_prenorm", "qkv_last" ...), for messages and
  /// documentation.
  virtual std::vector<std::string> intermediate_names() const { return {}; }

  /// Features of normalised pixels [B,3,H,W] (float32, RGB, see image_spec()). Other sizes than image_spec()
  /// gives are allowed when the model can take them. Throws an Error of kind data for a shape it cannot take
  /// and for an unknown intermediate. [any-thread; runs without gradients: begin with an at::NoGradGuard]
  virtual ImageFeatures encode(const at::Tensor& pixels,
                               std::span<const std::string> intermediates = {}) const = 0;

  /// Text embeddings [N,D] of the same space, of the length that the model gives them. Throws an Error of
  /// kind data for a text that is too long when truncation is off. [any-thread]
  virtual at::Tensor encode_text(std::span<const std::string> texts) const = 0;

  /// The text side fed with token ids [N,C] (int64) instead of texts; for tokenizers that live elsewhere.
  /// [any-thread]
  virtual at::Tensor encode_token_ids(const at::Tensor& ids) const;

  /// Features of regions of one image, for backbones with capabilities().regions; the aggregator `native`
  /// leads here. `pixels` is [1,3,H,W], the network input that `geometry` carries the regions to, which are
  /// said in coordinates of the original image. All kinds of regions come, whole images too; they have been
  /// checked (finite, no negative side, masks of the image's size, patches on the grid), but may lie outside
  /// the image or be empty: take what is nearest to their meaning and warn. However many they are, memory
  /// stays bounded. Throws an Error of kind data for a region that it cannot take; the captioner then asks
  /// for each alone, so that the others get their captions. [any-thread; runs without gradients]
  virtual RegionFeatures encode_regions(const at::Tensor& pixels, std::span<const Region> regions,
                                        const ImageGeometry& geometry) const;

  /// A named tensor of the model beyond what encode gives ("position_table" at a grid, "projection" of given
  /// text features ...): a window for `verify` and for the curious. `inputs` are named tensors. Throws an
  /// Error of kind data for an unknown name.
  virtual at::Tensor probe(const std::string& name, const std::map<std::string, at::Tensor>& inputs) const;
};

}  // namespace patchioner
