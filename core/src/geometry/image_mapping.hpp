// Coordinates of the original image in pixels of the network input (spec/01 section 4.1).
#pragma once

#include <patchioner/geometry.hpp>

namespace patchioner {

/// One axis: input = original * scale - offset.
struct AxisMapping {
  double scale = 1;
  double offset = 0;
  double input_size = 0;  ///< pixels of the network input

  // The scale as a fraction of integers, so that what lies exactly on a border of cells stays there on the
  // way back.
  double numerator = 1;
  double denominator = 1;

  double to_input(double original) const { return original * scale - offset; }
  double to_original(double input) const { return (input + offset) * denominator / numerator; }
};

struct ImageMapping {
  AxisMapping x;
  AxisMapping y;
};

ImageMapping mapping_of(const ImageGeometry& geometry);

}  // namespace patchioner
