// Points that name patches: where a patch of any backbone's grid shows one thing, or the ground alone.
#pragma once

#include <optional>

#include "random.hpp"
#include "render.hpp"

namespace patchioner::emoji {

/// The centre of a thing's box, pixels; `mark` is the thing's in Picture::owner. None where something else is
/// seen at that pixel or in most of a patch around it.
std::optional<cv::Point> point_of_thing(const Picture& picture, const Extent& extent, uint8_t mark);

/// A random pixel with nothing but ground of that mark (kSurfaceOwner or kBackdropOwner) around it, as far as
/// a patch that holds it can reach. None where there is hardly such a place.
std::optional<cv::Point> point_of_ground(const Picture& picture, uint8_t mark, Random& random);

}  // namespace patchioner::emoji
