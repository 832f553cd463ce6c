// How well the boxes of dense captions lie on the true ones, and whether they are likely to mean something
// else: coordinates of another form or scale give a low score that looks like any other.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "metrics/dense.hpp"

namespace patchioner {

struct DenseReport {
  size_t images = 0;
  size_t skipped = 0;  ///< images without detections that do not count
  size_t detections = 0;
  size_t true_boxes = 0;    ///< of the images that count, before those that overlap became one
  size_t merged_boxes = 0;  ///< of the same images, that were to be found
  std::array<size_t, kDenseOverlaps.size()> found{};  ///< of these, at each overlap
  double mean_overlap = 0;                            ///< of a detection with its best box
  std::vector<std::string> warnings;                  ///< sentences
};

/// `matches` is what match_detections gave for these images; `were_corners`: the file of the detections was
/// read as corners x1,y1,x2,y2, otherwise as x,y,width,height.
DenseReport dense_report(std::span<const DenseImage> images, const DenseMatches& matches, bool were_corners);

}  // namespace patchioner
