#include "dinotxt_backbone.hpp"

#include <ATen/core/grad_mode.h>

#include <patchioner/log.hpp>

#include "backbones/named_results.hpp"
#include "published_files.hpp"
#include "text_encoder.hpp"

namespace patchioner {
namespace {

/// One pass over B images: DINOv2's, and the tokens that are handed out, [B,T,D]: class, registers, patches
/// row by row.
class DinotxtPass : public Dinov2Pass {
 public:
  /// Without a head DINOv2's own tokens are handed out.
  DinotxtPass(Dinov2Pass backbone, const LazyTower<VisionHead>& head)
      : Dinov2Pass(std::move(backbone)), handed_out_(head ? head->forward(tokens()) : tokens()) {}

  at::Tensor final_class() const { return handed_out_.select(1, 0).contiguous(); }  // [B,D]
  at::Tensor final_registers() const {
    return handed_out_.slice(1, 1, first_patch()).contiguous();
  }                                                                                              // [B,R,D]
  at::Tensor final_patches() const { return handed_out_.slice(1, first_patch()).contiguous(); }  // [B,N,D]

  /// Everything that `encode` can hand out by name; DINOv2's own names mean what they mean there.
  static const NamedResults<DinotxtPass>& results() {
    using Pass = const DinotxtPass&;
    static const NamedResults<DinotxtPass> list(
        Dinov2Pass::results(),
        {
            {"class_token", [](Pass pass) { return pass.final_class(); }},
            {"register_tokens", [](Pass pass) { return pass.final_registers(); }},
            {"patch_tokens", [](Pass pass) { return pass.final_patches(); }},
            // What a whole text vector is compared with (spec/03 section 6.1).
            {"image_features",
             [](Pass pass) {
               return at::cat({pass.final_class(), pass.final_patches().mean(1)}, 1);  // [B,2*D]
             }},
        });
    return list;
  }

 private:
  int64_t first_patch() const { return 1 + tower().config().registers; }
  at::Tensor handed_out_;
};

}  // namespace

DinotxtBackbone::DinotxtBackbone(DinotxtOptions options, const PluginContext& context)
    : options_(std::move(options)),
      context_(context),
      images_(options_, context, "dinotxt", {CheckpointFamily::dinov2},
              fmt::format("dinotxt's `weights` must be a DINOv2 ({})", kBackboneFile)) {
  const at::NoGradGuard no_gradients;
  if (!images_ && options_.text_weights.empty()) {
    throw Error(ErrorKind::config,
                "there is nothing to load; set `weights` ({}) and `vision_head_weights` ({}) for images, "
                "`text_weights` ({}) for texts, or all three",
                kBackboneFile, kVisionHeadFile, kTextEncoderFile);
  }
  dim_ = images_ ? images_.config().block.width : 0;
  load_head();
  load_texts();
}

void DinotxtBackbone::load_head() {
  if (!options_.vision_head) {
    return;
  }
  if (options_.vision_head_weights.empty() && images_) {
    throw Error(ErrorKind::config,
                "DINO.txt's vision head is missing; set `vision_head_weights` to {}, or `vision_head: false` "
                "for DINOv2's own tokens, as the reference takes them",
                kVisionHeadFile);
  }
  if (options_.vision_head_weights.empty()) {
    return;
  }
  if (!images_) {
    throw Error(ErrorKind::config,
                "a vision head needs the DINOv2 whose tokens it reads; set `weights` to {}, or leave "
                "`vision_head_weights` empty for texts alone",
                kBackboneFile);
  }
  const StateDict file = StateDict::open(options_.vision_head_weights);
  const BlockConfig& block = images_.config().block;
  head_ = load_vision_head(file, options_.head_heads > 0 ? options_.head_heads : block.heads, context_);
  if (head_.config().block.width != dim_) {
    throw Error(ErrorKind::config,
                "{} reads {} dimensions, but the image tower has {}; the published head belongs to {}",
                file.description(), head_.config().block.width, dim_, kBackboneFile);
  }
  if (images_.config().registers == 0) {
    log(LogLevel::warning,
        "dinotxt: the image tower has no register tokens; DINO.txt's vision head was trained on those of {}",
        kBackboneFile);
  }
}

void DinotxtBackbone::load_texts() {
  if (options_.text_weights.empty()) {
    return;
  }
  text_weights_ = StateDict::open(options_.text_weights);
  const LazyTower<ClipText> tower = load_text_encoder(text_weights_, options_.text_heads, context_);
  const int64_t both = tower.config().dim;
  if (both % 2 != 0) {
    throw Error(ErrorKind::checkpoint,
                "{} gives vectors of {} dimensions, which have no two halves; DINO.txt's have one for the "
                "class token and one for the patches",
                text_weights_.description(), both);
  }
  if (images_ && both != 2 * dim_) {
    throw Error(ErrorKind::config,
                "the text encoder leads to two halves of {} dimensions, but the image tower has {}; they "
                "belong to different models: {} goes with {}",
                both / 2, dim_, kTextEncoderFile, kBackboneFile);
  }
  dim_ = both / 2;
  text_ = std::make_unique<ClipTextEncoder>(tower, options_, "dinotxt");
}

BackboneCapabilities DinotxtBackbone::capabilities() const {
  BackboneCapabilities has;
  has.global = has.attention = static_cast<bool>(images_);
  has.text = text_ != nullptr;
  return has;
}

std::string DinotxtBackbone::text_fingerprint() const {
  return text_ == nullptr
             ? std::string()
             : "dinotxt_text:" + text_->digest(text_weights_.digest(),
                                               fmt::format("text_clean={}\ntext_part={}", options_.text_clean,
                                                           options_.text_part));
}

std::vector<std::string> DinotxtBackbone::intermediate_names() const {
  return DinotxtPass::results().names();
}

ImageFeatures DinotxtBackbone::encode(const at::Tensor& pixels,
                                      std::span<const std::string> intermediates) const {
  const at::NoGradGuard no_gradients;
  const auto wanted = DinotxtPass::results().makers(intermediates, "dinotxt");
  if (!images_) {
    throw Error(ErrorKind::config,
                "dinotxt: images cannot be encoded without an image tower; set `weights` to {} and "
                "`vision_head_weights` to {}",
                kBackboneFile, kVisionHeadFile);
  }
  const DinotxtPass pass(images_.pass(pixels, intermediates), head_);
  // The map is that of DINOv2's last block, with or without the head (spec/03 section 6.3).
  ImageFeatures features = grid_features(pass.final_patches(), pass.rows(), pass.columns(),
                                         pass.final_class(), pass.map(), pixels.device());
  add_results(wanted, pass, pixels.device(), features);
  return features;
}

const ClipTextEncoder& DinotxtBackbone::text_encoder() const {
  if (text_ == nullptr) {
    throw Error(ErrorKind::config,
                "dinotxt: texts cannot be encoded without DINO.txt's text encoder; set `text_weights` to {}",
                kTextEncoderFile);
  }
  return *text_;
}

at::Tensor DinotxtBackbone::chosen_half(const at::Tensor& texts) const {
  return texts.narrow(1, options_.text_part == "class" ? 0 : dim_, dim_).contiguous();  // [N,D]
}

at::Tensor DinotxtBackbone::encode_text(std::span<const std::string> texts) const {
  return chosen_half(text_encoder().encode(texts));
}

at::Tensor DinotxtBackbone::encode_token_ids(const at::Tensor& ids) const {
  return chosen_half(text_encoder().encode_ids(ids));
}

at::Tensor DinotxtBackbone::probe(const std::string& name,
                                  const std::map<std::string, at::Tensor>& inputs) const {
  if (name == "position_table") {
    return images_.position_table(inputs);  // [1+N,D]
  }
  if (name == "text_features") {
    return text_encoder().encode_ids(probe_input(inputs, name, "ids"));  // [N,2*D]
  }
  return Backbone::probe(name, inputs);
}

PATCHIONER_PLUGIN(backbone, dinotxt, "1.0", "DINO.txt: DINOv2 with a vision head and its own text encoder",
                  DinotxtBackbone, DinotxtOptions)

}  // namespace patchioner
