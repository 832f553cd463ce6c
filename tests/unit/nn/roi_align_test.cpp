// Boxes cut out of feature maps. Numbers are worked out by hand, or by a plain loop over the four neighbours
// of each sample in double precision.
#include "nn/roi_align.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <patchioner/error.hpp>
#include <vector>

namespace patchioner {
namespace {

/// One channel of 4 x 4 cells: 0 to 15, row by row.
at::Tensor ramp() {
  return at::arange(16, at::kFloat).view({1, 4, 4});
}

void check_values(const at::Tensor& ours, const std::vector<float>& expected) {
  REQUIRE(ours.numel() == static_cast<int64_t>(expected.size()));
  const at::Tensor flat = ours.contiguous().flatten();
  for (size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(flat[static_cast<int64_t>(i)].item<float>() == doctest::Approx(expected[i]).epsilon(1e-6));
  }
}

/// A sample by its four neighbours.
double sample(const at::Tensor& channel, double y, double x) {
  const auto rows = static_cast<double>(channel.size(0));
  const auto columns = static_cast<double>(channel.size(1));
  if (y < -1 || y > rows || x < -1 || x > columns) {
    return 0;
  }
  y = std::min(std::max(y, 0.0), rows - 1);
  x = std::min(std::max(x, 0.0), columns - 1);
  const auto low_y = static_cast<int64_t>(y);
  const auto low_x = static_cast<int64_t>(x);
  const int64_t high_y = std::min<int64_t>(low_y + 1, channel.size(0) - 1);
  const int64_t high_x = std::min<int64_t>(low_x + 1, channel.size(1) - 1);
  const double dy = y - static_cast<double>(low_y);
  const double dx = x - static_cast<double>(low_x);
  const auto at = [&](int64_t row, int64_t column) { return channel[row][column].item<double>(); };
  return (1 - dy) * ((1 - dx) * at(low_y, low_x) + dx * at(low_y, high_x)) +
         dy * ((1 - dx) * at(high_y, low_x) + dx * at(high_y, high_x));
}

at::Tensor by_loop(const at::Tensor& map, const PixelBox& box, double scale, int64_t size) {
  at::Tensor result = at::zeros({map.size(0), size, size}, at::kDouble);
  const double top = box.top * scale - 0.5;
  const double left = box.left * scale - 0.5;
  const double height = (box.bottom - box.top) * scale / static_cast<double>(size);
  const double width = (box.right - box.left) * scale / static_cast<double>(size);
  const auto down = static_cast<int64_t>(std::ceil(height));
  const auto across = static_cast<int64_t>(std::ceil(width));
  for (int64_t channel = 0; channel < map.size(0); ++channel) {
    for (int64_t row = 0; row < size; ++row) {
      for (int64_t column = 0; column < size; ++column) {
        double sum = 0;
        for (int64_t i = 0; i < down; ++i) {
          for (int64_t j = 0; j < across; ++j) {
            const double y = top + height * static_cast<double>(row) +
                             (static_cast<double>(i) + 0.5) * height / static_cast<double>(down);
            const double x = left + width * static_cast<double>(column) +
                             (static_cast<double>(j) + 0.5) * width / static_cast<double>(across);
            sum += sample(map[channel], y, x);
          }
        }
        result[channel][row][column] = sum / static_cast<double>(down * across);
      }
    }
  }
  return result;
}

}  // namespace

TEST_CASE("a box of whole cells, as many as bins, gives those cells") {
  // Pixels 4 to 12 at a cell every 4 pixels are the cells 1 and 2.
  const std::vector<PixelBox> boxes = {{4, 4, 12, 12}, {0, 8, 8, 16}};
  const at::Tensor cut = roi_align(ramp(), boxes, 0.25, 2);
  CHECK(cut.sizes() == at::IntArrayRef({2, 1, 2, 2}));
  check_values(cut, {5, 6, 9, 10, 8, 9, 12, 13});
}

TEST_CASE("a box between cells reads between them, half a cell off its corner") {
  // From 2 to 10 pixels: 0.5 to 2.5 cells, so that bins of one cell have their samples at 0.5 and 1.5 cell
  // centres; the value there is 4 y + x.
  check_values(roi_align(ramp(), std::vector<PixelBox>{{2, 2, 10, 10}}, 0.25, 2), {2.5, 3.5, 6.5, 7.5});
}

TEST_CASE("a bin wider than a cell is the mean of one sample a cell") {
  // The whole map in 2 x 2 bins: samples at the centres of the cells 0,1 and 2,3.
  check_values(roi_align(ramp(), std::vector<PixelBox>{{0, 0, 16, 16}}, 0.25, 2), {2.5, 4.5, 10.5, 12.5});
  // 3 cells in one bin: samples at the centres of the cells 1, 2, 3 both ways; the mean is the middle one.
  check_values(roi_align(ramp(), std::vector<PixelBox>{{4, 4, 16, 16}}, 0.25, 1), {10});
  // 1.5 cells high and 1 wide in one bin: ceil(1.5) = 2 samples at rows 0.5 - 0.5 + 0.375 and + 1.125, column
  // 0.
  check_values(roi_align(ramp(), std::vector<PixelBox>{{0, 2, 4, 8}}, 0.25, 1), {4 * 0.75});
}

TEST_CASE("samples beyond the centres of the border cells read the border") {
  // A box of a quarter cell in the corner: its four samples all lie before the first centre.
  check_values(roi_align(ramp(), std::vector<PixelBox>{{0, 0, 1, 1}}, 0.25, 2), {0, 0, 0, 0});
  check_values(roi_align(ramp(), std::vector<PixelBox>{{15, 15, 16, 16}}, 0.25, 2), {15, 15, 15, 15});
}

TEST_CASE("samples further than one cell outside count as nothing") {
  // From 8 pixels before the map to 8 within it, along x: 4 cells in one bin, samples at -2, -1, 0, 1 cell
  // centres. The first is lost, the second still reads the border: (0 + 0 + 0 + 1) / 4 in row 0.
  check_values(roi_align(ramp(), std::vector<PixelBox>{{-8, 0, 8, 4}}, 0.25, 1), {0.25});
}

TEST_CASE("boxes of any place and size agree with a loop over each sample's neighbours") {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(5);
  const at::Tensor map = at::randn({3, 6, 9}, generator, at::TensorOptions(at::kFloat));
  const std::vector<PixelBox> boxes = {
      {0, 0, 144, 96},    {3.7, 11.2, 91.3, 80.9}, {100.5, 2.25, 143, 95}, {40, 40, 40.6, 41.1},
      {-30, -17, 60, 50}, {120, 70, 180, 130},     {12.5, 33, 13.5, 93.75}};
  for (const int64_t size : {1, 2, 5, 14}) {
    const at::Tensor cut = roi_align(map, boxes, 1.0 / 16, size);
    for (size_t i = 0; i < boxes.size(); ++i) {
      CAPTURE(size);
      CAPTURE(i);
      const at::Tensor expected = by_loop(map, boxes[i], 1.0 / 16, size);
      CHECK((cut[static_cast<int64_t>(i)].to(at::kDouble) - expected).abs().max().item<double>() < 1e-6);
    }
  }
}

TEST_CASE("one box among many is cut as it is alone, and channels last is the order in memory") {
  const at::Tensor map = at::arange(48, at::kFloat).view({3, 4, 4});
  const std::vector<PixelBox> boxes = {{1, 2, 13, 9}, {0, 0, 16, 16}, {5, 5, 6, 6}};
  const at::Tensor together = roi_align(map, boxes, 0.25, 3);
  for (size_t i = 0; i < boxes.size(); ++i) {
    const at::Tensor alone = roi_align(map, std::span(boxes).subspan(i, 1), 0.25, 3);
    CHECK(at::allclose(alone[0], together[static_cast<int64_t>(i)], 1e-6, 1e-6));
  }
  CHECK(together.is_contiguous(at::MemoryFormat::ChannelsLast));
  CHECK(roi_align(map, {}, 0.25, 3).size(0) == 0);
}

TEST_CASE("a box of no area reads one point; one that is no box is refused") {
  check_values(roi_align(ramp(), std::vector<PixelBox>{{6, 6, 6, 6}}, 0.25, 1), {5});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const PixelBox& wrong :
       {PixelBox{4, 4, 3, 8}, PixelBox{4, 8, 8, 4}, PixelBox{nan, 0, 1, 1}, PixelBox{0, 0, infinity, 1}}) {
    CHECK_THROWS_AS(roi_align(ramp(), std::span(&wrong, 1), 0.25, 2), Error);
  }
}

}  // namespace patchioner
