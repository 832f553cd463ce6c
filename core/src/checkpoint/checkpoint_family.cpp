#include "checkpoint/checkpoint_family.hpp"

#include <algorithm>
#include <array>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

using Family = CheckpointFamily;

struct FamilyFacts {
  Family family;
  std::string_view word;
  std::string_view advice;
};

constexpr std::array<FamilyFacts, 20> kFacts = {{
    {Family::unknown, "unknown", ""},
    {Family::clip, "clip", "the backbone clip reads it"},
    {Family::clip_resnet, "clip_resnet", "the backbone regionclip reads it"},
    {Family::clip_other, "clip_other", ""},
    {Family::dinov2, "dinov2", "the backbone talk2dino reads it as `weights`"},
    {Family::dino, "dino", "the backbone proxyclip reads it as `proxy_weights`"},
    {Family::dinov3, "dinov3", ""},
    {Family::talk2dino, "talk2dino", "the backbone talk2dino reads it as `projection_weights`"},
    {Family::denseclip, "denseclip", "the backbone denseclip reads it"},
    {Family::denseclip_resnet, "denseclip_resnet", ""},
    {Family::regionclip, "regionclip", "the backbone regionclip reads it"},
    {Family::alphaclip, "alphaclip", "the backbone alphaclip reads it as `alpha_weights`"},
    {Family::dinotxt_head, "dinotxt_head", "the backbone dinotxt reads it as `vision_head_weights`"},
    {Family::dinotxt_text, "dinotxt_text", "the backbone dinotxt reads it as `text_weights`"},
    {Family::plain_decoder, "plain_decoder", "the decoder plain reads it"},
    {Family::clipcap_decoder, "clipcap_decoder", "the decoder clipcap reads it"},
    {Family::viecap_decoder, "viecap_decoder", "the decoder viecap reads it"},
    {Family::gpt2, "gpt2", "training of the decoders viecap and clipcap begins from it (`language_model`)"},
    {Family::memory_bank, "memory_bank", "the gap memory reads it as `bank`"},
    {Family::lora, "lora", "merge it into the model that it was made for, and give that"},
}};

const FamilyFacts& facts_of(Family family) {
  return *std::find_if(kFacts.begin(), kFacts.end(),
                       [family](const FamilyFacts& facts) { return facts.family == family; });
}

}  // namespace

std::string_view to_string(CheckpointFamily family) {
  return facts_of(family).word;
}

std::string advice(CheckpointFamily family) {
  const std::string_view known = facts_of(family).advice;
  return known.empty() ? "no plugin here reads it" : std::string(known);
}

void refuse_checkpoint(const StateDict& checkpoint, std::string_view wanted) {
  const CheckpointIdentity identity = identify(checkpoint);
  const std::string file =
      fmt::format("{} ({})", checkpoint.path().filename().string(), to_string(checkpoint.format()));
  if (identity.family != Family::unknown) {
    throw Error(ErrorKind::checkpoint, "{} is {}, but {}; {}", file, identity.words, wanted,
                advice(identity.family));
  }
  constexpr size_t kShown = 3;
  std::string some;
  const std::vector<std::string> names = checkpoint.names();
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    some += (i > 0 ? ", " : "") + names[i];
  }
  throw Error(ErrorKind::checkpoint, "{} is of no model that is known here (it holds {}{}), but {}", file,
              some.empty() ? "no tensors" : some, names.size() > kShown ? " ..." : "", wanted);
}

void require_family(const StateDict& checkpoint, std::initializer_list<CheckpointFamily> families,
                    std::string_view wanted) {
  const Family family = identify(checkpoint).family;
  if (family != Family::unknown && std::find(families.begin(), families.end(), family) == families.end()) {
    refuse_checkpoint(checkpoint, wanted);
  }
}

}  // namespace patchioner
