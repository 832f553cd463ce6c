#include "bench_eager_resnet.hpp"

#include <algorithm>
#include <cmath>

namespace patchioner::eager {
namespace {

constexpr int64_t kHeadWidth = 64;
constexpr int64_t kStride = 32;  // pixels a cell of the last map

at::Tensor halve(const at::Tensor& map) {
  return at::avg_pool2d(map, 2);
}

/// The samples that make the bins of one box inside the map along one axis: for each of size * count, the two
/// cells it is read off and how much the second counts.
struct AxisSamples {
  int64_t count = 1;  ///< a bin
  std::vector<int64_t> low;
  std::vector<int64_t> high;
  std::vector<double> share;
};

AxisSamples axis_samples(double begin, double end, double scale, int64_t size, int64_t cells) {
  AxisSamples samples;
  const double start = begin * scale - 0.5;
  const double bin = (end - begin) * scale / static_cast<double>(size);
  samples.count = static_cast<int64_t>(std::ceil(bin));
  for (int64_t i = 0; i < size * samples.count; ++i) {
    const double place = start + bin * (static_cast<double>(i) + 0.5) / static_cast<double>(samples.count);
    const double inside = std::clamp(place, 0.0, static_cast<double>(cells - 1));
    const auto low = static_cast<int64_t>(inside);
    samples.low.push_back(low);
    samples.high.push_back(std::min(low + 1, cells - 1));
    samples.share.push_back(inside - static_cast<double>(low));
  }
  return samples;
}

}  // namespace

NormedConvolution::NormedConvolution(const Weights& weights, const std::string& name,
                                     const std::string& norm_name, int64_t stride_)
    : weight(weights(name + ".weight")),
      norm{weights(norm_name + ".weight"), weights(norm_name + ".bias"), weights(norm_name + ".running_mean"),
           weights(norm_name + ".running_var")},
      stride(stride_) {}

at::Tensor NormedConvolution::operator()(const at::Tensor& x) const {
  constexpr double kEpsilon = 1e-5;
  const at::Tensor map = at::conv2d(x, weight, std::nullopt, stride, weight.size(2) / 2);
  return at::batch_norm(map, norm[0], norm[1], norm[2], norm[3], /*training=*/false, 0, kEpsilon,
                        at::globalContext().userEnabledCuDNN());
}

at::Tensor RegionClip::Block::operator()(const at::Tensor& x) const {
  at::Tensor y = second(first(x).relu_()).relu_();
  if (pools) {
    y = halve(y);
  }
  y = third(y);
  y += shortcut.weight.defined() ? shortcut(pools ? halve(x) : x) : x;
  return y.relu_();
}

RegionClip::RegionClip(const Weights& weights, int64_t side) {
  stem_ = {NormedConvolution(weights, "conv1", "bn1", 2), NormedConvolution(weights, "conv2", "bn2"),
           NormedConvolution(weights, "conv3", "bn3")};
  for (size_t layer = 0; layer < layers_.size(); ++layer) {
    for (size_t index = 0;; ++index) {
      const Weights block =
          weights.at("layer" + std::to_string(layer + 1) + "." + std::to_string(index) + ".");
      if (!block.contains("conv1.weight")) {
        break;
      }
      Block made;
      made.first = NormedConvolution(block, "conv1", "bn1");
      made.second = NormedConvolution(block, "conv2", "bn2");
      made.third = NormedConvolution(block, "conv3", "bn3");
      made.pools = layer > 0 && index == 0;
      if (block.contains("downsample.0.weight")) {
        made.shortcut = NormedConvolution(block, "downsample.0", "downsample.1");
      }
      layers_[layer].push_back(made);
    }
  }
  table_ = weights("attnpool.positional_embedding");
  image_table_ = resample_positions(table_, side / kStride, side / kStride, PositionRule::bilinear);
  qkv_ = {Linear(weights, "attnpool.q_proj"), Linear(weights, "attnpool.k_proj"),
          Linear(weights, "attnpool.v_proj")};
  output_ = Linear(weights, "attnpool.c_proj");
}

at::Tensor RegionClip::layer3(const at::Tensor& pixels) const {
  at::Tensor x = pixels;
  for (const NormedConvolution& convolution : stem_) {
    x = convolution(x).relu_();
  }
  x = halve(x);
  for (size_t layer = 0; layer < 3; ++layer) {
    for (const Block& block : layers_[layer]) {
      x = block(x);
    }
  }
  return x;
}

at::Tensor RegionClip::layer4(const at::Tensor& map) const {
  at::Tensor x = map;
  for (const Block& block : layers_[3]) {
    x = block(x);
  }
  return x;
}

at::Tensor RegionClip::pool(const at::Tensor& map, bool of_image) const {
  const at::Tensor cells = map.flatten(2).transpose(1, 2);  // [B,G,E]
  const at::Tensor x =
      at::cat({cells.mean(1, true), cells}, 1) + (of_image ? image_table_ : table_);  // [B,T,E]
  const auto heads = [&x](const at::Tensor& part) {
    return part.view({x.size(0), x.size(1), x.size(2) / kHeadWidth, kHeadWidth})
        .transpose(1, 2);  // [B,H,T,d]
  };
  const at::Tensor mixed =
      at::scaled_dot_product_attention(heads(qkv_[0](x)), heads(qkv_[1](x)), heads(qkv_[2](x)));
  return output_(mixed.transpose(1, 2).flatten(2));  // [B,T,D]
}

at::Tensor roi_align(const at::Tensor& map, const std::vector<PixelBox>& boxes, double scale, int64_t size) {
  const int64_t channels = map.size(1);
  const int64_t rows = map.size(2);
  const int64_t columns = map.size(3);
  std::vector<int64_t> cells;
  std::vector<float> shares;
  std::vector<int64_t> begins;
  for (const PixelBox& box : boxes) {
    const AxisSamples down = axis_samples(box.top, box.bottom, scale, size, rows);
    const AxisSamples across = axis_samples(box.left, box.right, scale, size, columns);
    const double sample = 1 / static_cast<double>(down.count * across.count);
    for (int64_t bin = 0; bin < size * size; ++bin) {
      begins.push_back(static_cast<int64_t>(cells.size()));
      for (int64_t i = 0; i < down.count; ++i) {
        for (int64_t j = 0; j < across.count; ++j) {
          const auto y = static_cast<size_t>(bin / size * down.count + i);
          const auto x = static_cast<size_t>(bin % size * across.count + j);
          const double below = down.share[y];
          const double right = across.share[x];
          cells.insert(cells.end(),
                       {down.low[y] * columns + across.low[x], down.low[y] * columns + across.high[x],
                        down.high[y] * columns + across.low[x], down.high[y] * columns + across.high[x]});
          for (const double share :
               {(1 - below) * (1 - right), (1 - below) * right, below * (1 - right), below * right}) {
            shares.push_back(static_cast<float>(share * sample));
          }
        }
      }
    }
  }
  const at::Device device = map.device();
  // The operator that sums weighted rows does what the kernel of ROIAlign, which LibTorch lacks, does a bin.
  const at::Tensor table = map[0].flatten(1).t().contiguous();  // [H*W,C]
  const at::Tensor bins = std::get<0>(at::embedding_bag(
      table, at::tensor(cells).to(device), at::tensor(begins).to(device), false, /*mode sum=*/0, false,
      at::tensor(shares).to(device)));  // [R*size*size,C]
  return bins.view({static_cast<int64_t>(boxes.size()), size, size, channels})
      .permute({0, 3, 1, 2})
      .contiguous();
}

}  // namespace patchioner::eager
