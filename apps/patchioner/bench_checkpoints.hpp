// Checkpoints of the published models' names, shapes and types, filled with random numbers: what is measured
// where no weights are at hand.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "checkpoint/state_dict.hpp"
#include "support/temporary_folder.hpp"

namespace patchioner {

/// One of them. Its numbers are the same whenever and however it is written.
struct RandomCheckpoint {
  std::string name;  ///< of its file, without an ending
  std::vector<TensorToWrite> tensors;
};

/// How large a vision transformer is: B is 768 wide with 12 blocks and 12 heads, L 1024 with 24 and 16.
enum class VitSize { b, l };
int64_t width_of(VitSize size);
int64_t heads_of(VitSize size);

/// OpenAI's ViT-B/16: 150 million numbers in about 350 MB (spec/02 sections 1 and 14).
RandomCheckpoint clip_b16_checkpoint();
/// DenseCLIP's ViT-B/16, trained at 640 pixels, with its text encoder of 13 positions (spec/02 section 4.1).
RandomCheckpoint denseclip_b16_checkpoint();
/// AlphaCLIP's image tower of ViT-B/16 (spec/02 section 6).
RandomCheckpoint alphaclip_b16_checkpoint();
/// RegionCLIP's RN50 under detectron2's names, without its language encoder (spec/02 section 7).
RandomCheckpoint regionclip_rn50_checkpoint();
/// DINO's ViT-B/8 (spec/03 section 2).
RandomCheckpoint dino_b8_checkpoint();
/// DINOv2's ViT-B/14 or L/14 with registers: 87 million numbers in 346 MB, or 304 in 1217 (spec/03
/// section 1.4).
RandomCheckpoint dinov2_reg_checkpoint(VitSize size);
/// DINO.txt's vision head: the published one behind L/14, or one for B/14 (spec/03 section 6.1).
RandomCheckpoint dinotxt_head_checkpoint(VitSize size);

/// A folder of checkpoints that are measured.
class CheckpointFolder : public TemporaryFolder {
 public:
  /// The checkpoint as torch.save writes it; written unless it is there already.
  std::string torch_file(const RandomCheckpoint& checkpoint) const;
  /// Removes that file, if it is there.
  void remove(const RandomCheckpoint& checkpoint) const;
};

}  // namespace patchioner
