// What the backbone `regionclip` can be told (spec/02 section 15).
#pragma once

#include <patchioner/parameters.hpp>
#include <string>

#include "backbones/backbone_options.hpp"

namespace patchioner {

struct RegionClipOptions : ImageOptions, TextOptions {
  std::string weights;
  std::string text_weights;
  bool use_attnpool_for_spatial_feats = true;
  int64_t heads = 0;
  int64_t text_heads = 0;
};

inline void declare(ParameterList<RegionClipOptions>& list) {
  list.note("features",
            "attention-pool outputs of cells of 32 pixels; a box: its inside pooled (RoIAlign) through the "
            "attention pool; of length 1");
  list.note("space", "texts of its own language encoder: 1024 (RN50) or 640 (RN50x4)");
  list.note("input", "512");
  list.note("files", "regionclip_pretrained-cc_rn50.pth, regionclip_pretrained-cc_rn50x4.pth");
  list.note("source", "Zhong et al. 2022, github.com/microsoft/RegionCLIP");
  using Options = RegionClipOptions;
  constexpr double kMostHeads = 1024;
  list.add("weights", &Options::weights,
           "RegionCLIP's checkpoint as detectron2 wrote it, or a CLIP with a ResNet, told by content")
      .path()
      .required();
  list.add("text_weights", &Options::text_weights,
           "checkpoint whose language encoder reads the texts; empty: the one of weights")
      .path();
  declare_input_options(list);
  declare_map_option(list);
  list.add("use_attnpool_for_spatial_feats", &Options::use_attnpool_for_spatial_feats,
           "patches leave the attention pool; false: its output projection of each cell alone");
  list.add("heads", &Options::heads, "attention heads of the pool; 0: its width / 64").range(0, kMostHeads);
  list.add("text_heads", &Options::text_heads, "attention heads of the language encoder; 0: its width / 64")
      .range(0, kMostHeads);
  declare_text_options(list);
}

}  // namespace patchioner
