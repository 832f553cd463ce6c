// RegionCLIP's ResNet, attention pool and ROIAlign as eager PyTorch code computes them (see bench_eager.hpp).
#pragma once

#include <array>

#include "bench_eager.hpp"
#include "nn/roi_align.hpp"

namespace patchioner::eager {

/// A convolution without bias and the frozen norm behind it, as two operators.
struct NormedConvolution {
  at::Tensor weight;
  std::array<at::Tensor, 4> norm;  ///< weight, bias, running_mean, running_var
  int64_t stride = 1;

  NormedConvolution() = default;
  NormedConvolution(const Weights& weights, const std::string& name, const std::string& norm_name,
                    int64_t stride_ = 1);
  at::Tensor operator()(const at::Tensor& x) const;
};

/// RegionCLIP's image side, under the names of its checkpoints behind "backbone.". Maps are channels first.
class RegionClip {
 public:
  /// `side`: pixels of the square inputs.
  RegionClip(const Weights& weights, int64_t side);

  /// Pixels [B,3,S,S] -> [B,1024,S/16,S/16].
  at::Tensor layer3(const at::Tensor& pixels) const;
  /// That map, or regions of it, [B,1024,s,s] -> [B,2048,s/2,s/2].
  at::Tensor layer4(const at::Tensor& map) const;
  /// All rows of the pool at the size of the image's map, or of a region's (7 x 7): [B,1+G,D].
  at::Tensor pool(const at::Tensor& map, bool of_image) const;

 private:
  struct Block {
    NormedConvolution first;
    NormedConvolution second;
    NormedConvolution third;
    NormedConvolution shortcut;
    bool pools = false;
    at::Tensor operator()(const at::Tensor& x) const;
  };

  std::array<NormedConvolution, 3> stem_;
  std::array<std::vector<Block>, 4> layers_;
  at::Tensor table_;        // [1+7*7,E]
  at::Tensor image_table_;  // [1+G,E]
  std::array<Linear, 3> qkv_;
  Linear output_;
};

/// Boxes of a map [1,C,H,W] as detectron2's ROIAlignV2 pools them, [R,C,size,size]: every sample read off the
/// four cells around it.
at::Tensor roi_align(const at::Tensor& map, const std::vector<PixelBox>& boxes, double scale, int64_t size);

}  // namespace patchioner::eager
