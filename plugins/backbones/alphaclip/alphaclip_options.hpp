// What the backbone `alphaclip` can be told (spec/02 sections 6 and 15).
#pragma once

#include <string>

#include "backbones/backbone_options.hpp"

namespace patchioner {

struct AlphaClipOptions : ClipWeightsOptions, ImageOptions, TextOptions {
  std::string alpha_weights;
  std::string alpha_scale = "normalized";
  std::string region_feature = "cls";
  std::string mask_rule = "coverage";
};

void declare(ParameterList<AlphaClipOptions>& list);

}  // namespace patchioner
