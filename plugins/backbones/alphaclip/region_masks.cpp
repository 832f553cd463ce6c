#include "region_masks.hpp"

#include <algorithm>
#include <variant>

#include "geometry/box_patches.hpp"
#include "geometry/region_check.hpp"
#include "geometry/region_cover.hpp"

namespace patchioner {
namespace {

bool is_empty(const CellGrid& cells) {
  return cells.support().empty();
}

void mark(const Patch& patch, CellGrid& cells) {
  cells.at(patch.row, patch.column) = 1;
}

/// The patches of a region that covers no whole one; empty when nothing of it is on the image.
CellGrid patches_under(const RegionShape& shape, const ImageGeometry& geometry) {
  CellGrid cells(geometry);
  if (const auto* box = std::get_if<Box>(&shape)) {
    mark(patch_under(*box, geometry), cells);
  } else if (const auto* set = std::get_if<BoxSet>(&shape)) {
    for (const Box& box : set->boxes) {
      if (box_is_visible(box, geometry)) {
        mark(patch_under(box, geometry), cells);
      }
    }
  }
  return cells;
}

std::string name_of(const RegionShape& shape) {
  const auto* box = std::get_if<Box>(&shape);
  return box == nullptr ? fmt::format("the {}", kind_name(shape)) : "the box " + text_of(*box);
}

/// What is to be said about a region; empty for an ordinary one.
std::string remark(const RegionShape& shape, const ImageGeometry& geometry, bool any_pixel) {
  const std::string image = fmt::format("{}x{} pixels", geometry.image_width, geometry.image_height);
  const auto* box = std::get_if<Box>(&shape);
  if (box != nullptr && !box_is_visible(*box, geometry)) {
    return fmt::format("{} lies outside what is looked at of the image of {}; {}", name_of(shape), image,
                       any_pixel ? "the pixels at its border were marked" : "the mask is empty");
  }
  if (!any_pixel) {
    const int64_t side = geometry.spec.input_size();
    return fmt::format("{} covers no pixel of the network input of {}x{}; the mask is empty", name_of(shape),
                       side, side);
  }
  return "";
}

void copy_into(at::Tensor row, const CellGrid& cells) {
  std::transform(cells.values.begin(), cells.values.end(), row.mutable_data_ptr<float>(),
                 [](double value) { return static_cast<float>(value); });
}

}  // namespace

RegionMasks region_masks(std::span<const Region> regions, const ImageGeometry& geometry, MaskRule rule,
                         bool pooled) {
  const auto count = static_cast<int64_t>(regions.size());
  const int64_t side = geometry.spec.input_size();
  RegionMasks masks;
  masks.pixels = at::empty({count, side, side}, at::kFloat);  // [R,S,S]
  if (pooled) {
    masks.patches = at::empty({count, geometry.patches()}, at::kFloat);  // [R,G]
  }
  for (int64_t i = 0; i < count; ++i) {
    const RegionShape& shape = regions[i].shape;
    const CellGrid pixels = covered_pixels(shape, geometry, rule);
    copy_into(masks.pixels[i], pixels);
    std::string warning = remark(shape, geometry, !is_empty(pixels));
    if (pooled) {
      CellGrid patches = covered_patches(shape, geometry, rule);
      if (is_empty(patches)) {
        patches = patches_under(shape, geometry);
      }
      if (is_empty(patches)) {
        patches.values.assign(patches.values.size(), 1);
        warning += fmt::format("{}the mean of the whole image was taken", warning.empty() ? "" : ", and ");
      }
      copy_into(masks.patches[i], patches);
    }
    if (!warning.empty()) {
      masks.warnings.push_back({static_cast<size_t>(i), std::move(warning)});
    }
  }
  return masks;
}

}  // namespace patchioner
