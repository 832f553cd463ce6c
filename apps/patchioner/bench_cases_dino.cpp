// Talk2DINO, DINO.txt and ProxyCLIP: what stands on a DINO.
#include <fmt/format.h>

#include <array>
#include <limits>

#include "bench_case_parts.hpp"

namespace patchioner {
namespace {

using eager::AttentionCode;
using eager::Family;
using eager::Tower;
using eager::TowerCode;
using eager::Weights;
using Options = std::vector<std::pair<std::string, Value>>;

// Side of the inputs, pixels: the paper's.
constexpr int64_t kDinov2Side = 518;

// Of DINO's norms (spec/03 section 1.2).
constexpr double kDinoEpsilon = 1e-6;

TowerCode dino_code(const CaseSettings& settings, int64_t heads) {
  TowerCode code;
  code.family = Family::dino;
  code.attention = settings.fused_attention ? AttentionCode::fused : AttentionCode::written;
  code.heads = heads;
  code.epsilon = kDinoEpsilon;
  code.resampled_when_loaded = false;
  return code;
}

TowerCode dino_v1_code(const CaseSettings& settings) {
  TowerCode code = dino_code(settings, heads_of(VitSize::b));
  code.positions = PositionRule::bicubic_offset;
  return code;
}

/// The reference's map of the last block, from what a hook on its packed product sees (spec/03 section 3):
/// [B,N].
at::Tensor reference_map(const at::Tensor& packed, int64_t first_patch) {
  constexpr int64_t kMapHeads = 16;
  constexpr double kScale = 0.125;
  const int64_t width = packed.size(2) / 3;
  const at::Tensor parts = packed.reshape({packed.size(0), packed.size(1), 3, kMapHeads, width / kMapHeads})
                               .permute({2, 0, 3, 1, 4});                                  // [3,B,H,T,d]
  const at::Tensor queries = parts[0].slice(2, 0, 1) * kScale;                             // [B,H,1,d]
  const at::Tensor keys = parts[1].slice(2, first_patch);                                  // [B,H,N,d]
  return at::softmax(at::matmul(queries, keys.transpose(-2, -1)).squeeze(2).mean(1), -1);  // [B,N]
}

/// DINOv2's tokens after the final norm, and through the head where there is one: patches, class token, map.
std::function<Results()> dinov2_pass(std::shared_ptr<const Tower> tower,
                                     std::shared_ptr<const eager::Head> head, at::Tensor pixels) {
  return [tower = std::move(tower), head = std::move(head), pixels = std::move(pixels)] {
    at::Tensor packed;
    at::Tensor tokens = tower->normalise(tower->run(tower->embed(pixels), tower->blocks().size(), &packed));
    if (head != nullptr) {
      tokens = (*head)(tokens);
    }
    const int64_t first = 1 + tower->registers();
    return Results{tokens.slice(1, first), tokens.select(1, 0), reference_map(packed, first)};
  };
}

struct Normalisation {
  std::array<float, 3> mean;
  std::array<float, 3> deviation;
};
constexpr Normalisation kImageNet = {{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};
constexpr Normalisation kClip = {{0.48145466F, 0.4578275F, 0.40821073F},
                                 {0.26862954F, 0.26130258F, 0.27577711F}};

at::Tensor channels(const std::array<float, 3>& values, const at::Tensor& like) {
  return at::tensor(at::ArrayRef<float>(values)).view({1, 3, 1, 1}).to(like.device());
}

/// ImageNet's normalisation undone, CLIP's done.
at::Tensor clip_pixels(const at::Tensor& pixels) {
  const at::Tensor plain = pixels * channels(kImageNet.deviation, pixels) + channels(kImageNet.mean, pixels);
  return (plain - channels(kClip.mean, pixels)) / channels(kClip.deviation, pixels);
}

/// ProxyCLIP's last block (spec/03 section 5, steps 3 to 5): `x` [1,1+n,W] enters it, `proxy` is [1,M,C];
/// every head gets its own copy of the attention.
at::Tensor proxy_attention(const Tower& clip, const at::Tensor& x, const at::Tensor& proxy, int64_t clip_side,
                           int64_t side) {
  constexpr double kBeta = 1.2;
  constexpr double kGamma = 3.0;
  const eager::Block& last = clip.blocks().back();
  const int64_t heads = clip.heads();
  const int64_t width = x.size(2);
  const int64_t head_width = width / heads;
  at::Tensor values = last.packed(x).chunk(3, -1)[2].contiguous();                        // [1,1+n,W]
  values = values.view({values.size(1), heads, head_width}).transpose(0, 1).slice(1, 1);  // [H,n,d]
  const at::Tensor features = proxy.transpose(1, 2);                                      // [1,C,M]
  const at::Tensor unit = features / features.norm(2, {1}, true).clamp_min(1e-12);
  at::Tensor likeness = at::matmul(unit.transpose(1, 2), unit);  // [1,M,M]
  likeness = (likeness - likeness.mean({1, 2}, true) * kBeta) * kGamma;
  likeness.masked_fill_(likeness < 0.0, -std::numeric_limits<double>::infinity());
  const at::Tensor weights =
      at::softmax(likeness.unsqueeze(1).repeat({1, heads, 1, 1}).squeeze(0), -1);  // [H,M,M]
  values = values.reshape({heads, clip_side, clip_side, head_width}).permute({0, 3, 1, 2});
  values = at::upsample_bilinear2d(values, {side, side}, false);                    // [H,d,side,side]
  values = values.permute({0, 2, 3, 1}).reshape({heads, side * side, head_width});  // [H,M,d]
  return last.project(at::bmm(weights, values).transpose(0, 1).reshape({1, side * side, width}));  // [1,M,W]
}

std::function<Results()> proxy_pass(std::shared_ptr<const Tower> proxy, std::shared_ptr<const Tower> clip,
                                    at::Tensor pixels) {
  return [proxy = std::move(proxy), clip = std::move(clip), pixels = std::move(pixels)] {
    const at::Tensor features = proxy->normalise(proxy->run(proxy->embed(pixels), proxy->blocks().size()))
                                    .slice(1, 1 + proxy->registers());  // [1,M,C]
    const at::Tensor tokens = clip->run(clip->embed(clip_pixels(pixels)), clip->blocks().size() - 1);
    const at::Tensor mixed = proxy_attention(*clip, tokens, features, pixels.size(2) / clip->patch(),
                                             pixels.size(2) / proxy->patch());
    const at::Tensor patches = clip->project(clip->normalise(mixed));  // [1,M,D]
    return Results{patches / patches.norm(2, {-1}, true)};
  };
}

BackboneCase proxyclip_case(const std::string& network, int64_t side, const RandomCheckpoint& proxy,
                            const TowerCode& proxy_code, const PluginContext& context) {
  const RandomCheckpoint clip = clip_b16_checkpoint();
  return {"proxyclip",
          fmt::format("ViT-B/16, {} at {}", network, side),
          {clip, proxy},
          [=](PluginHost& host, const CheckpointFolder& folder) {
            const std::string clip_file = folder.torch_file(clip);
            const std::string proxy_file = folder.torch_file(proxy);
            const at::Tensor pixels = random_pixels(side, context.device);
            TowerCode clip_tower = clip_code(PositionRule::bicubic_offset_by_count);
            clip_tower.resampled_when_loaded = false;
            const Options options = {
                {"clip_weights", clip_file}, {"proxy_weights", proxy_file}, {"resolution", side}};
            return Sides{
                whole_image(open_plugin(host, "proxyclip", options, context), pixels),
                proxy_pass(std::make_shared<Tower>(Weights(proxy_file, context.device), proxy_code, side),
                           std::make_shared<Tower>(Weights(clip_file, context.device).at("visual."),
                                                   clip_tower, side),
                           pixels)};
          }};
}

}  // namespace

Cases talk2dino_cases(const CaseSettings& settings) {
  const RandomCheckpoint checkpoint = dinov2_reg_checkpoint(VitSize::b);
  return {{"talk2dino",
           fmt::format("ViT-B/14 reg at {}", kDinov2Side),
           {checkpoint},
           [checkpoint, settings](PluginHost& host, const CheckpointFolder& folder) {
             const at::Device device = settings.context.device;
             const std::string file = folder.torch_file(checkpoint);
             const at::Tensor pixels = random_pixels(kDinov2Side, device);
             return Sides{
                 whole_image(open_plugin(host, "talk2dino", {{"weights", file}}, settings.context), pixels),
                 dinov2_pass(std::make_shared<Tower>(Weights(file, device),
                                                     dino_code(settings, heads_of(VitSize::b)), kDinov2Side),
                             nullptr, pixels)};
           }}};
}

Cases dinotxt_cases(const CaseSettings& settings) {
  const VitSize size = settings.dinotxt_size;
  const RandomCheckpoint tower = dinov2_reg_checkpoint(size);
  const RandomCheckpoint head = dinotxt_head_checkpoint(size);
  const char* letter = size == VitSize::b ? "B" : "L";
  return {
      {"dinotxt",
       fmt::format("ViT-{}/14 reg, head at {}", letter, kDinov2Side),
       {tower, head},
       [tower, head, size, settings](PluginHost& host, const CheckpointFolder& folder) {
         const at::Device device = settings.context.device;
         const std::string file = folder.torch_file(tower);
         const std::string head_file = folder.torch_file(head);
         const at::Tensor pixels = random_pixels(kDinov2Side, device);
         const TowerCode code = dino_code(settings, heads_of(size));
         TowerCode head_code = code;
         head_code.family = Family::head;
         head_code.epsilon = 1e-5;
         return Sides{
             whole_image(open_plugin(host, "dinotxt", {{"weights", file}, {"vision_head_weights", head_file}},
                                     settings.context),
                         pixels),
             dinov2_pass(std::make_shared<Tower>(Weights(file, device), code, kDinov2Side),
                         std::make_shared<eager::Head>(Weights(head_file, device), head_code), pixels)};
       }}};
}

Cases proxyclip_cases(const CaseSettings& settings) {
  return {proxyclip_case("DINO B/8", 296, dino_b8_checkpoint(), dino_v1_code(settings), settings.context),
          proxyclip_case("DINOv2 B/14", 518, dinov2_reg_checkpoint(VitSize::b),
                         dino_code(settings, heads_of(VitSize::b)), settings.context)};
}

}  // namespace patchioner
