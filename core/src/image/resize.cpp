// Bicubic resize of bytes with the results of Pillow 10.4, bit for bit (spec/01 section 3): weights in
// double, rounded to fixed point; a horizontal pass, whose result is rounded to bytes, then a vertical pass.
// Sums of integers do not depend on their order, so rows can be shared among threads.
#include "image/resize.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <patchioner/error.hpp>
#include <vector>

#include "image/image.hpp"

namespace patchioner {
namespace {

constexpr int kPrecisionBits =
    22;  // Pillow: 32 bits, less 8 of a pixel, less 2 for weights above 1 and below 0
constexpr double kCubicSupport = 2.0;  // half the width of the kernel, in pixels of the coarser side
constexpr double kCubicA = -0.5;       // OpenCV has -0.75
constexpr int64_t kLongestSide = 1 << 30;
constexpr int64_t kRowsPerTask = 32;

double cubic(double t) {
  t = std::abs(t);
  if (t < 1.0) {
    return ((kCubicA + 2.0) * t - (kCubicA + 3.0)) * t * t + 1.0;
  }
  if (t < 2.0) {
    return (((t - 5.0) * t + 8.0) * t - 4.0) * kCubicA;
  }
  return 0.0;
}

/// The taps of one axis, for the outputs [begin, begin + size).
struct Taps {
  std::vector<int32_t> first;    ///< per output: the first input that it reads
  std::vector<int32_t> count;    ///< per output: how many it reads
  std::vector<int32_t> weights;  ///< per output `stride` fixed-point weights, unused ones 0
  int64_t stride = 0;

  const int32_t* of(int64_t output) const { return weights.data() + output * stride; }
  int64_t input_begin() const { return *std::min_element(first.begin(), first.end()); }
  int64_t input_end() const {
    int64_t end = 0;
    for (size_t i = 0; i < first.size(); ++i) {
      end = std::max<int64_t>(end, first[i] + count[i]);
    }
    return end;
  }
};

Taps make_taps(int64_t input_size, int64_t output_size, int64_t begin, int64_t size) {
  const double scale = static_cast<double>(input_size) / static_cast<double>(output_size);
  const double filter_scale = std::max(scale, 1.0);
  const double support = kCubicSupport * filter_scale;
  const double inverse = 1.0 / filter_scale;
  Taps taps;
  taps.stride = static_cast<int64_t>(std::ceil(support)) * 2 + 1;
  taps.first.resize(size);
  taps.count.resize(size);
  taps.weights.assign(size * taps.stride, 0);
  std::vector<double> exact(taps.stride);
  for (int64_t i = 0; i < size; ++i) {
    const double centre = (static_cast<double>(begin + i) + 0.5) * scale;
    const int64_t low = std::max<int64_t>(0, static_cast<int64_t>(centre - support + 0.5));
    const int64_t high = std::min<int64_t>(input_size, static_cast<int64_t>(centre + support + 0.5));
    double sum = 0;
    for (int64_t x = low; x < high; ++x) {
      exact[x - low] = cubic((static_cast<double>(x) - centre + 0.5) * inverse);
      sum += exact[x - low];
    }
    taps.first[i] = static_cast<int32_t>(low);
    taps.count[i] = static_cast<int32_t>(high - low);
    for (int64_t k = 0; k < high - low; ++k) {
      const double weight = sum != 0.0 ? exact[k] / sum : exact[k];
      const double scaled = weight * (1 << kPrecisionBits);
      taps.weights[i * taps.stride + k] = static_cast<int32_t>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
    }
  }
  return taps;
}

constexpr int32_t kHalf = 1 << (kPrecisionBits - 1);

// Both kernels are compiled twice on x86, for any processor and for those with AVX2, whose 32-bit
// multiplications of vectors are what takes the time; the results are the same integers.
#define PATCHIONER_KERNEL inline __attribute__((always_inline))
#if defined(__x86_64__)
#define PATCHIONER_AVX2 __attribute__((target("avx2"), optimize("O3")))
#endif

PATCHIONER_KERNEL uint8_t to_byte(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

using Bytes4 = uint8_t __attribute__((vector_size(4)));
using Sums4 = int32_t __attribute__((vector_size(16)));
constexpr int64_t kOverread = 3;  // bytes after a row that the horizontal kernel loads and ignores

/// One output row; `source` has kOverread readable bytes behind its last pixel.
template <int kChannels>
PATCHIONER_KERNEL void horizontal_row(const uint8_t* source, uint8_t* target, const Taps& taps) {
  const auto outputs = static_cast<int64_t>(taps.first.size());
  const int32_t* weights = taps.weights.data();
  for (int64_t x = 0; x < outputs; ++x, weights += taps.stride) {
    const uint8_t* pixel = source + static_cast<int64_t>(taps.first[x]) * kChannels;
    Sums4 sums = {kHalf, kHalf, kHalf, kHalf};
    for (int32_t k = 0; k < taps.count[x]; ++k) {
      Bytes4 bytes;
      std::memcpy(&bytes, pixel + k * kChannels, sizeof(bytes));
      sums += weights[k] * __builtin_convertvector(bytes, Sums4);
    }
    for (int c = 0; c < kChannels; ++c) {
      target[x * kChannels + c] = to_byte(sums[c]);
    }
  }
}

/// One output row as the weighted sum of `count` input rows; `sums` is scratch for a row.
PATCHIONER_KERNEL void vertical_row(const uint8_t* source, int64_t row_bytes, uint8_t* target,
                                    const int32_t* weights, int32_t count, int32_t* sums) {
  std::fill(sums, sums + row_bytes, kHalf);
  for (int32_t k = 0; k < count; ++k) {
    const uint8_t* row = source + k * row_bytes;
    const int32_t weight = weights[k];
    for (int64_t i = 0; i < row_bytes; ++i) {
      sums[i] += weight * row[i];
    }
  }
  for (int64_t i = 0; i < row_bytes; ++i) {
    target[i] = to_byte(sums[i]);
  }
}

using HorizontalKernel = void (*)(const uint8_t*, uint8_t*, const Taps&);
using VerticalKernel = void (*)(const uint8_t*, int64_t, uint8_t*, const int32_t*, int32_t, int32_t*);

template <int kChannels>
void horizontal_plain(const uint8_t* source, uint8_t* target, const Taps& taps) {
  horizontal_row<kChannels>(source, target, taps);
}

void vertical_plain(const uint8_t* source, int64_t row_bytes, uint8_t* target, const int32_t* weights,
                    int32_t count, int32_t* sums) {
  vertical_row(source, row_bytes, target, weights, count, sums);
}

#if defined(__x86_64__)
template <int kChannels>
PATCHIONER_AVX2 void horizontal_avx2(const uint8_t* source, uint8_t* target, const Taps& taps) {
  horizontal_row<kChannels>(source, target, taps);
}

PATCHIONER_AVX2 void vertical_avx2(const uint8_t* source, int64_t row_bytes, uint8_t* target,
                                   const int32_t* weights, int32_t count, int32_t* sums) {
  vertical_row(source, row_bytes, target, weights, count, sums);
}
#endif

bool has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") != 0;
#else
  return false;
#endif
}

template <int kChannels>
HorizontalKernel horizontal_kernel() {
#if defined(__x86_64__)
  if (has_avx2()) {
    return horizontal_avx2<kChannels>;
  }
#endif
  return horizontal_plain<kChannels>;
}

HorizontalKernel horizontal_kernel(int64_t channels) {
  return channels == 1   ? horizontal_kernel<1>()
         : channels == 2 ? horizontal_kernel<2>()
         : channels == 3 ? horizontal_kernel<3>()
                         : horizontal_kernel<4>();
}

VerticalKernel vertical_kernel() {
#if defined(__x86_64__)
  if (has_avx2()) {
    return vertical_avx2;
  }
#endif
  return vertical_plain;
}

/// The pixels [columns of the taps] of the rows [row_begin, row_end).
at::Tensor horizontal_pass(const at::Tensor& pixels, const Taps& taps, int64_t row_begin, int64_t row_end) {
  const int64_t channels = pixels.size(2);
  const auto width = static_cast<int64_t>(taps.first.size());
  at::Tensor result = at::empty({row_end - row_begin, width, channels}, at::kByte);
  const uint8_t* source = pixels.const_data_ptr<uint8_t>();
  uint8_t* target = result.mutable_data_ptr<uint8_t>();
  const int64_t source_row = pixels.size(1) * channels;
  const HorizontalKernel kernel = horizontal_kernel(channels);
  at::parallel_for(row_begin, row_end, kRowsPerTask, [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> padded_row;
    for (int64_t y = begin; y < end; ++y) {
      const uint8_t* row = source + y * source_row;
      const int64_t bytes_behind = (pixels.size(0) - 1 - y) * source_row;
      if (bytes_behind < kOverread) {
        padded_row.assign(row, row + source_row);
        padded_row.resize(source_row + kOverread);
        row = padded_row.data();
      }
      kernel(row, target + (y - row_begin) * width * channels, taps);
    }
  });
  return result;
}

/// `first_row` is the row of the original that `pixels` begins with.
at::Tensor vertical_pass(const at::Tensor& pixels, const Taps& taps, int64_t first_row) {
  const auto height = static_cast<int64_t>(taps.first.size());
  const int64_t row_bytes = pixels.size(1) * pixels.size(2);
  at::Tensor result = at::empty({height, pixels.size(1), pixels.size(2)}, at::kByte);
  const uint8_t* source = pixels.const_data_ptr<uint8_t>();
  uint8_t* target = result.mutable_data_ptr<uint8_t>();
  const VerticalKernel kernel = vertical_kernel();
  at::parallel_for(0, height, kRowsPerTask, [&](int64_t begin, int64_t end) {
    std::vector<int32_t> sums(row_bytes);
    for (int64_t y = begin; y < end; ++y) {
      kernel(source + (taps.first[y] - first_row) * row_bytes, row_bytes, target + y * row_bytes, taps.of(y),
             taps.count[y], sums.data());
    }
  });
  return result;
}

}  // namespace

at::Tensor resize_bicubic_window(const at::Tensor& pixels, int64_t width, int64_t height,
                                 const ResizeWindow& window) {
  if (pixels.dim() != 3 || pixels.scalar_type() != at::kByte || pixels.size(2) < 1 || pixels.size(2) > 4) {
    throw Error(ErrorKind::internal, "resize wants pixels [H,W,1..4] of bytes");
  }
  const int64_t rows = pixels.size(0);
  const int64_t columns = pixels.size(1);
  if (rows < 1 || columns < 1 || width < 1 || height < 1 || width > kLongestSide || height > kLongestSide) {
    throw Error(ErrorKind::data,
                "an image of {}x{} cannot be resized to {}x{} pixels; both need at least one pixel a side "
                "and at most {}",
                columns, rows, width, height, kLongestSide);
  }
  const bool inside = window.left >= 0 && window.top >= 0 && window.width > 0 && window.height > 0 &&
                      window.left + window.width <= width && window.top + window.height <= height;
  if (!inside) {
    throw Error(ErrorKind::internal, "the window of a resize leaves the resized image");
  }
  const at::Tensor source = pixels.contiguous();

  // A side that keeps its length has no pass: that alone decides about rounding, so the window is then only
  // cut out.
  int64_t row_begin = window.top;
  int64_t row_end = window.top + window.height;
  Taps vertical;
  if (height != rows) {
    vertical = make_taps(rows, height, window.top, window.height);
    row_begin = vertical.input_begin();
    row_end = vertical.input_end();
  }
  at::Tensor result;
  if (width != columns) {
    result =
        horizontal_pass(source, make_taps(columns, width, window.left, window.width), row_begin, row_end);
  } else {
    result =
        source.narrow(0, row_begin, row_end - row_begin).narrow(1, window.left, window.width).contiguous();
  }
  return height != rows ? vertical_pass(result, vertical, row_begin) : result;
}

at::Tensor resize_bicubic(const at::Tensor& pixels, int64_t width, int64_t height) {
  return resize_bicubic_window(pixels, width, height, {0, 0, width, height});
}

}  // namespace patchioner
