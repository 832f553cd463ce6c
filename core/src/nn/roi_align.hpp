// Boxes cut out of a feature map and brought to one size (ROIAlign): how RegionCLIP sees a region.
#pragma once

#include <ATen/ATen.h>

#include <span>

namespace patchioner {

/// A rectangle in pixels of the input that a map was made from; the corner of pixel 0 is at 0.
struct PixelBox {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
};

/// Boxes of one map [C,H,W] -> [R,C,size,size], channels last in memory, in the map's type. Each box is cut
/// into size x size bins; a bin is the mean of ceil(bin height) x ceil(bin width) samples spread evenly in
/// it, at least one, each read off the map bilinearly. Positions are multiplied by `scale` (1/16 for a map of
/// a cell every 16 pixels) and then shifted by half a cell, so that a cell's value stands at its centre; what
/// lies less than one cell outside the map reads as its border, what lies further off as 0. That is the
/// aligned ROIAlign with an adaptive number of samples (detectron2's ROIAlignV2 with sampling_ratio 0). Boxes
/// reach as far as the map does at most, give or take; one that is not finite or whose ends are the wrong way
/// round throws an Error of kind data.
at::Tensor roi_align(const at::Tensor& map, std::span<const PixelBox> boxes, double scale, int64_t size);

}  // namespace patchioner
