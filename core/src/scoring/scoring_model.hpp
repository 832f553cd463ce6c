// The CLIP behind CLIP-S or PAC-S: a config's backbone, or just a checkpoint.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <patchioner/backbone.hpp>
#include <patchioner/value.hpp>
#include <string>
#include <vector>

#include "image/image.hpp"
#include "runtime/plugin_host.hpp"

namespace patchioner {

struct ScoringModelSource {
  Value config;
  /// Pixels become -1 to 1 (mean and deviation 0.5) instead of what the backbone says of itself.
  bool even_pixels = false;
};

/// Where a scoring model comes from. `name` is a config (a file, or a name such as "experiment/decap_b32"),
/// or a checkpoint, told by content, for which a config is made: the backbone `clip` with these weights and
/// CLIP's vocabulary, which lies beside the file or in the weights folder. PAC-S's own files hold a CLIP
/// under OpenAI's names within "state_dict" and do not say which: its ViT-L/14 was open_clip's
/// laion2b_s32b_b82k (GELU, even pixels), the others OpenAI's (QuickGELU) (spec/05 section 8;
/// github.com/aimagelab/pacscore). Throws Error: config when no vocabulary is there; as compose() and
/// StateDict::open.
ScoringModelSource find_scoring_model(const std::string& name);

/// Encodes texts and images for cosines. [one-thread]
class ScoringModel {
 public:
  /// Images are resized by their shorter side and cut, and texts cut at their limit, unless the config says
  /// otherwise. `device` is a word of `runtime.device`, or empty for what the config says. Throws Error as
  /// find_scoring_model and PluginHost::backbone; config for a backbone that does not encode both images and
  /// texts.
  explicit ScoringModel(const std::string& name, const std::string& device = "");

  /// [N,D] float32 on the processor, of "A photo depicts " and each caption (Hessel et al. 2021).
  at::Tensor encode_texts(const std::vector<std::string>& captions) const;

  /// [N,D] float32 on the processor. Images are asked for one by one, in order, and only a batch of them is
  /// held.
  at::Tensor encode_images(size_t count, const std::function<Image(size_t index)>& image) const;

 private:
  size_t batch_ = 1;
  at::Device device_ = at::kCPU;
  std::unique_ptr<PluginHost> host_;
  std::shared_ptr<Backbone> backbone_;
  ImageSpec image_spec_;
};

}  // namespace patchioner
