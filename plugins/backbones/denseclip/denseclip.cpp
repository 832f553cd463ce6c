// DenseCLIP: CLIP's towers after training for segmentation; the patches of its image tower through the final
// norm and the projection (spec/02 section 4).
#include <patchioner/plugin.hpp>

#include "denseclip_towers.hpp"
#include "nn/unit_length.hpp"

namespace patchioner {
namespace {

class DenseClip : public ClipBackbone {
 public:
  DenseClip(DenseClipOptions options, const PluginContext& context)
      : DenseClip(load_denseclip(std::move(options), context), context.device) {}

  at::Tensor encode_text(std::span<const std::string> texts) const override {
    return finished(ClipBackbone::encode_text(texts));
  }
  at::Tensor encode_token_ids(const at::Tensor& ids) const override {
    return finished(ClipBackbone::encode_token_ids(ids));
  }

 private:
  DenseClip(LoadedDenseClip loaded, at::Device device)
      : ClipBackbone(std::move(loaded.parts), loaded.options, loaded.options, device),
        normalize_text_(loaded.options.normalize_text) {}

  at::Tensor finished(const at::Tensor& vectors) const {
    return normalize_text_ ? unit_rows(vectors) : vectors;  // [N,D]
  }

  bool normalize_text_;
};

}  // namespace

void declare(ParameterList<DenseClipOptions>& list) {
  list.note("features", "as CLIP's, of an image tower that was trained further on segmentation");
  list.note("space", "texts of CLIP ViT-B/16, of length 1: 512");
  list.note("input", "640");
  list.note("files",
            "DenseCLIP's segmentation or detection checkpoint with a ViT-B/16; OpenAI's ViT-B-16.pt for "
            "texts of up to 77 ids");
  list.note("source", "Rao et al. 2022, github.com/raoyongming/DenseCLIP");
  constexpr double kMostHeads = 1024;
  list.add("weights", &DenseClipOptions::weights,
           "DenseCLIP's segmentation or detection checkpoint with a vision transformer; empty: the one that "
           "`config` names")
      .path();
  list.add("config", &DenseClipOptions::config,
           "YAML file of the reference that describes the model (model, checkpoint, preprocessing)")
      .path();
  list.add("class_embedding", &DenseClipOptions::class_embedding,
           "how often the class embedding is added to the class token: once (the paper's runs) or twice (how "
           "the weights were trained)")
      .choices({"once", "twice"});
  list.add("text_weights", &DenseClipOptions::text_weights,
           "OpenAI's CLIP ViT-B/16, whose text tower takes the place of the checkpoint's; for texts of up to "
           "77 ids")
      .path();
  list.add("normalize_text", &DenseClipOptions::normalize_text,
           "texts get vectors of length 1, as the reference's; false: as the text tower gives them");
  list.add("heads", &DenseClipOptions::heads,
           "attention heads of the image tower; 0: one for each 64 of the width")
      .range(0, kMostHeads);
  list.add("text_heads", &DenseClipOptions::text_heads,
           "attention heads of the text tower; 0: as `config` says, or one for each 64 of the width")
      .range(0, kMostHeads);
  declare_image_options(list);
  declare_text_options(list);
}

}  // namespace patchioner

PATCHIONER_PLUGIN(backbone, denseclip, "1.0",
                  "DenseCLIP with a vision transformer: CLIP fine-tuned for segmentation",
                  patchioner::DenseClip, patchioner::DenseClipOptions)
