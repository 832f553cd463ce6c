#include "report/heat_map.hpp"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace patchioner {
namespace {

// Opacity of the veil where there is no weight, and of the colour where the weight is largest: by eye.
constexpr double kVeil = 0.62;
constexpr double kGlow = 0.38;
// Weights below 1 are lifted, since attention maps have a few peaks and long tails.
constexpr double kGamma = 0.7;

// Weights that differ by less than this share of the largest count as equal.
constexpr float kEqual = 1e-4F;

}  // namespace

at::Tensor heat_map(const at::Tensor& weights, int64_t width, int64_t height,
                    HeatInterpolation interpolation) {
  at::Tensor result = at::zeros({height, width, 4}, at::kByte);
  const at::Tensor values = weights.to(at::kCPU).to(at::kFloat).contiguous();  // [rows,columns]
  if (values.numel() == 0 || width <= 0 || height <= 0 || !at::isfinite(values).all().item<bool>()) {
    return result;
  }
  const float largest = values.max().item<float>();
  // Equal weights everywhere say nothing about places.
  if (largest <= 0 || largest - values.min().item<float>() <= kEqual * largest) {
    return result;
  }
  const at::Tensor scaled = (values / largest).contiguous();
  const cv::Mat grid(static_cast<int>(values.size(0)), static_cast<int>(values.size(1)), CV_32F,
                     scaled.data_ptr());
  cv::Mat grown;
  cv::resize(grid, grown, cv::Size(static_cast<int>(width), static_cast<int>(height)), 0, 0,
             interpolation == HeatInterpolation::nearest ? cv::INTER_NEAREST : cv::INTER_CUBIC);
  cv::Mat index(grown.rows, grown.cols, CV_8U);
  for (int row = 0; row < grown.rows; ++row) {
    for (int column = 0; column < grown.cols; ++column) {
      const double value = std::pow(std::clamp<double>(grown.at<float>(row, column), 0.0, 1.0), kGamma);
      index.at<uint8_t>(row, column) = static_cast<uint8_t>(std::lround(value * 255));
    }
  }
  cv::Mat colours;  // BGR
  cv::applyColorMap(index, colours, cv::COLORMAP_INFERNO);
  auto* out = result.data_ptr<uint8_t>();
  for (int row = 0; row < grown.rows; ++row) {
    for (int column = 0; column < grown.cols; ++column, out += 4) {
      const double value = index.at<uint8_t>(row, column) / 255.0;
      const auto& colour = colours.at<cv::Vec3b>(row, column);
      out[0] = colour[2];
      out[1] = colour[1];
      out[2] = colour[0];
      out[3] = static_cast<uint8_t>(std::lround(255 * (kVeil + (kGlow - kVeil) * value)));
    }
  }
  return result;
}

at::Tensor lay_over(const at::Tensor& pixels, const at::Tensor& rgba, int64_t x, int64_t y) {
  at::Tensor result = pixels.clone();
  const int64_t left = std::max<int64_t>(x, 0);
  const int64_t top = std::max<int64_t>(y, 0);
  const int64_t right = std::min(x + rgba.size(1), pixels.size(1));
  const int64_t bottom = std::min(y + rgba.size(0), pixels.size(0));
  if (left >= right || top >= bottom) {
    return result;
  }
  const at::Tensor layer =
      rgba.slice(0, top - y, bottom - y).slice(1, left - x, right - x).to(at::kFloat);  // [h,w,4]
  at::Tensor target = result.slice(0, top, bottom).slice(1, left, right);               // [h,w,3]
  const at::Tensor alpha = layer.slice(2, 3, 4) / 255.0;
  target.copy_((target.to(at::kFloat) * (1 - alpha) + layer.slice(2, 0, 3) * alpha).round());
  return result;
}

}  // namespace patchioner
