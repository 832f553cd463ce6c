// SigLIP (Zhai et al., "Sigmoid Loss for Language Image Pre-Training", 2023) from the files that Hugging Face
// distributes. It has no class token: a learnt query, the probe, attends to the patches, and what it gathers
// goes through a head into the space of the texts. Here a patch's feature is what the head makes of that
// patch alone, so that patches, the global token and texts lie in one space.
#include <fmt/ranges.h>

#include <patchioner/plugin.hpp>

#include "sentencepiece.hpp"
#include "transformer.hpp"

namespace siglip {
namespace {

using namespace patchioner;

struct SiglipOptions {
  std::string weights;
  std::string vocabulary;
  int64_t resolution = 0;
  int64_t heads = 12;
};

void declare(ParameterList<SiglipOptions>& list) {
  list.add("weights", &SiglipOptions::weights, "model.safetensors of a SigLIP, both towers")
      .path()
      .required();
  list.add("vocabulary", &SiglipOptions::vocabulary, "its spiece.model").path().required();
  list.add("resolution", &SiglipOptions::resolution,
           "side of the network input in pixels, a multiple of the patch size; 0: what the model was trained "
           "with")
      .range(0);
  list.add("heads", &SiglipOptions::heads, "attention heads of both towers: 12 (base), 16 (large, so400m)")
      .range(1);
  list.note("features", "each patch through the pooling head on its own");
  list.note("space", "SigLIP's own texts");
  list.note("input", "squashed to a square; any multiple of the patch size");
  list.note("files", "google/siglip-base-patch16-224 and its siblings: model.safetensors, spiece.model");
  list.note("source", "Zhai et al. 2023, arXiv:2303.15343; as in the library transformers, SiglipModel");
}

/// What turns tokens into a vector of the shared space.
struct PoolingHead {
  at::Tensor probe;  ///< [1,1,W]
  Linear query, key, value, out;
  Norm norm;
  Mlp mlp;

  /// Behind the attention: [...,W] -> [...,W]
  at::Tensor project(const at::Tensor& gathered) const {
    const at::Tensor x = out(gathered);
    return x + mlp(norm(x));
  }
  /// Of all tokens [B,T,W]: [B,W]
  at::Tensor pool(const at::Tensor& tokens, int64_t heads) const {
    const at::Tensor probes = query(probe).expand({tokens.size(0), -1, -1});  // [B,1,W]
    return project(attend(probes, key(tokens), value(tokens), heads)).select(1, 0);
  }
  /// Of each token alone, which then has all of the attention: [B,T,W]
  at::Tensor each(const at::Tensor& tokens) const { return project(value(tokens)); }

  /// How strongly the probe looks at each token: the softmax of the logits' mean over heads, [B,T].
  at::Tensor attention(const at::Tensor& tokens, int64_t heads) const {
    const at::Tensor logits = split_heads(query(probe), heads)
                                  .matmul(split_heads(key(tokens), heads).transpose(2, 3));  // [B,H,1,T]
    const double scale = 1.0 / std::sqrt(static_cast<double>(tokens.size(2) / heads));
    return (logits.to(at::kFloat) * scale).mean(1).squeeze(1).softmax(-1);
  }
};

class Siglip : public Backbone {
 public:
  Siglip(const SiglipOptions& options, const PluginContext& context)
      : heads_(options.heads),
        options_(at::TensorOptions(context.device).dtype(context.precision)),
        tokenizer_(options.vocabulary) {
    const at::NoGradGuard no_gradients;
    Weights weights(options.weights, "SigLIP");
    load_image_side({weights, options.weights, options_});
    load_text_side({weights, options.weights, options_});
    weights.ignore("logit_");  // the scale and bias of the loss
    weights.finish();
    // Once, as it reads the whole file: those who ask do so often, and later the file may have moved.
    fingerprint_ = fmt::format("siglip {} {:016x}", weights.digest(), tokenizer_.digest());
    const int64_t native = native_side_ * spec_.patch_size;
    spec_.resize_dim = options.resolution == 0 ? native : options.resolution;
    if (width_ % heads_ != 0 || text_width_ % heads_ != 0) {
      throw Error(ErrorKind::config, "towers of width {} and {} cannot have {} heads; set 'heads'", width_,
                  text_width_, heads_);
    }
    if (spec_.resize_dim % spec_.patch_size != 0) {
      throw Error(ErrorKind::config, "the resolution {} is no multiple of the patch size {}",
                  spec_.resize_dim, spec_.patch_size);
    }
  }

  const ImageSpec& image_spec() const override { return spec_; }
  int64_t dim() const override { return width_; }
  std::string text_fingerprint() const override { return fingerprint_; }
  std::vector<std::string> intermediate_names() const override { return {"tokens"}; }

  ImageFeatures encode(const at::Tensor& pixels, std::span<const std::string> intermediates) const override {
    const at::NoGradGuard no_gradients;
    check(pixels, intermediates);
    at::Tensor x =
        at::conv2d(pixels.to(options_), patch_.weight, patch_.bias, spec_.patch_size);  // [B,W,rows,columns]
    const int64_t rows = x.size(2);
    const int64_t columns = x.size(3);
    x = x.flatten(2).transpose(1, 2) + positions(rows, columns);  // [B,G,W]
    for (const Block& block : blocks_) {
      x = block(x, heads_);
    }
    const at::Tensor tokens = norm_(x);  // [B,G,W]
    const auto grid = [&](const at::Tensor& cells) {
      return cells.to(at::kFloat).unflatten(1, {rows, columns}).contiguous();
    };
    ImageFeatures features;
    features.patches = grid(head_.each(tokens));
    features.global = head_.pool(tokens, heads_).to(at::kFloat);
    features.attention = grid(head_.attention(tokens, heads_));
    if (!intermediates.empty()) {
      features.intermediates["tokens"] = tokens.to(at::kFloat);
    }
    return features;
  }

  at::Tensor encode_text(std::span<const std::string> texts) const override {
    const auto length = static_cast<size_t>(text_positions_.size(0));
    at::Tensor ids =
        at::empty({static_cast<int64_t>(texts.size()), text_positions_.size(0)}, at::kLong);  // [N,C]
    auto* row = ids.mutable_data_ptr<int64_t>();
    for (const std::string& text : texts) {
      const std::vector<int64_t> own = tokenizer_.encode(text, length);
      row = std::copy(own.begin(), own.end(), row);
    }
    return encode_token_ids(ids);
  }

  at::Tensor encode_token_ids(const at::Tensor& ids) const override {
    const at::NoGradGuard no_gradients;
    if (ids.dim() != 2 || ids.size(1) != text_positions_.size(0)) {
      throw Error(ErrorKind::data, "token ids are [{}]; SigLIP takes [N,{}], filled up with </s>",
                  fmt::join(ids.sizes().begin(), ids.sizes().end(), ","), text_positions_.size(0));
    }
    if (ids.numel() > 0 &&
        (ids.min().item<int64_t>() < 0 || ids.max().item<int64_t>() >= text_tokens_.size(0))) {
      throw Error(ErrorKind::data,
                  "token ids from {} to {}; these weights have {} tokens, so that the "
                  "tokenizer is another model's",
                  ids.min().item<int64_t>(), ids.max().item<int64_t>(), text_tokens_.size(0));
    }
    constexpr int64_t kBatch = 64;  // texts at a time, so that memory stays bounded
    at::Tensor result = at::empty({ids.size(0), width_}, options_.dtype(at::kFloat));  // [N,D]
    for (int64_t begin = 0; begin < ids.size(0); begin += kBatch) {
      const at::Tensor some = ids.slice(0, begin, begin + kBatch).to(options_.device());
      at::Tensor x = at::embedding(text_tokens_, some) + text_positions_;  // [N,C,W]
      for (const Block& block : text_blocks_) {
        x = block(x, heads_);
      }
      result.slice(0, begin, begin + kBatch).copy_(text_head_(text_norm_(x).select(1, -1)));
    }
    return result;
  }

 private:
  void load_image_side(Reader read) {
    const std::string tower = "vision_model.";
    const std::vector<int64_t> kernel = read.shape(tower + "embeddings.patch_embedding.weight", "[W,3,P,P]");
    const std::vector<int64_t> table = read.shape(tower + "embeddings.position_embedding.weight", "[G,W]");
    read.width = width_ = kernel[0];
    spec_.patch_size = kernel[3];
    spec_.mean = spec_.std = {0.5F, 0.5F, 0.5F};  // preprocessor_config.json of the published models
    native_side_ = std::llround(std::sqrt(static_cast<double>(table[0])));
    patch_ = {read.tensor(tower + "embeddings.patch_embedding.weight",
                          {width_, 3, spec_.patch_size, spec_.patch_size}),
              read.tensor(tower + "embeddings.patch_embedding.bias", {width_})};
    positions_ =
        read.tensor(tower + "embeddings.position_embedding.weight", {native_side_ * native_side_, width_});
    blocks_ = read.blocks(tower + "encoder.layers");
    norm_ = read.norm(tower + "post_layernorm");
    const std::string head = tower + "head.";
    const auto in = read.tensor(head + "attention.in_proj_weight", {3 * width_, width_});
    const auto in_bias = read.tensor(head + "attention.in_proj_bias", {3 * width_});
    const auto part = [&](int64_t i) {
      return Linear{in.slice(0, i * width_, (i + 1) * width_),
                    in_bias.slice(0, i * width_, (i + 1) * width_)};
    };
    head_ = {read.tensor(head + "probe", {1, 1, width_}),
             part(0),
             part(1),
             part(2),
             read.linear(head + "attention.out_proj", width_, width_),
             read.norm(head + "layernorm"),
             read.mlp(head + "mlp")};
  }

  void load_text_side(Reader read) {
    const std::string tower = "text_model.";
    text_width_ = read.shape(tower + "embeddings.token_embedding.weight", "[V,W]")[1];
    read.width = text_width_;
    text_tokens_ = read.tensor(tower + "embeddings.token_embedding.weight", {-1, text_width_});
    text_positions_ = read.tensor(tower + "embeddings.position_embedding.weight", {-1, text_width_});
    text_blocks_ = read.blocks(tower + "encoder.layers");
    text_norm_ = read.norm(tower + "final_layer_norm");
    text_head_ = read.linear(tower + "head", width_, text_width_);
  }

  void check(const at::Tensor& pixels, std::span<const std::string> intermediates) const {
    const int64_t patch = spec_.patch_size;
    if (pixels.dim() != 4 || pixels.size(1) != 3 || pixels.size(2) < patch || pixels.size(2) % patch != 0 ||
        pixels.size(3) < patch || pixels.size(3) % patch != 0) {
      throw Error(ErrorKind::data,
                  "pixels are [{}]; SigLIP takes [B,3,H,W] with sides that are multiples of {}",
                  fmt::join(pixels.sizes().begin(), pixels.sizes().end(), ","), patch);
    }
    for (const std::string& name : intermediates) {
      if (name != "tokens") {
        throw Error(ErrorKind::data, "SigLIP has no intermediate '{}'; there is 'tokens'", name);
      }
    }
  }

  /// The table of positions on another grid, [G,W]: bicubic, as transformers interpolates it.
  at::Tensor positions(int64_t rows, int64_t columns) const {
    if (rows == native_side_ && columns == native_side_) {
      return positions_;
    }
    const at::Tensor table =
        positions_.unflatten(0, {native_side_, native_side_}).permute({2, 0, 1}).unsqueeze(0);
    return at::upsample_bicubic2d(table, {rows, columns}, /*align_corners=*/false).flatten(2).squeeze(0).t();
  }

  int64_t heads_;
  at::TensorOptions options_;
  SentencePiece tokenizer_;
  std::string fingerprint_;
  ImageSpec spec_;
  int64_t width_ = 0;
  int64_t text_width_ = 0;
  int64_t native_side_ = 0;  ///< of the grid that the positions were trained for, in patches
  Linear patch_;             ///< a convolution's: [W,3,P,P] and [W]
  at::Tensor positions_;     ///< [G,W]
  std::vector<Block> blocks_;
  Norm norm_;
  PoolingHead head_;
  at::Tensor text_tokens_;     ///< [V,W]
  at::Tensor text_positions_;  ///< [C,W]
  std::vector<Block> text_blocks_;
  Norm text_norm_;
  Linear text_head_;
};

}  // namespace
}  // namespace siglip

PATCHIONER_PLUGIN(backbone, siglip, "1.0", "SigLIP: images and texts of Hugging Face's files", siglip::Siglip,
                  siglip::SiglipOptions)
