// One captioned image as one picture: the regions drawn on it, the captions below, the heat maps beside the
// captions.
#pragma once

#include "report/shown.hpp"

namespace patchioner {

/// [H',W',3] uint8 RGB. An image that could not be read gives a picture with its error.
at::Tensor annotated_picture(const ShownImage& image);

}  // namespace patchioner
