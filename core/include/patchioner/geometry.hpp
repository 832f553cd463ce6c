// How pixels of an original image become cells of a backbone's patch grid.
//
// Letters used in all shapes of the project: B images, R regions, G = rows * columns patches, D the width of
// the shared vision-text space, T tokens, V vocabulary, M memory rows.
#pragma once

#include <array>
#include <cstdint>
#include <patchioner/error.hpp>

namespace patchioner {

/// What a backbone wants to see (spec/01 section 3). Network input is square: resize_dim when squashing,
/// crop_dim when cropping.
struct ImageSpec {
  int64_t resize_dim = 0;  ///< both sides (squash) or the shorter side (crop), pixels
  int64_t crop_dim = 0;    ///< side of the centre crop, pixels; used when keep_img_ratio
  bool keep_img_ratio =
      false;               ///< false: squash to resize_dim x resize_dim; true: shorter side, then centre crop
  int64_t patch_size = 0;  ///< side of a cell of the delivered grid, in pixels of the network input
  std::array<float, 3> mean{};  ///< RGB, of values in [0,1]
  std::array<float, 3> std{};   ///< RGB, of values in [0,1]; above 0

  /// Side of the network input, pixels.
  int64_t input_size() const { return keep_img_ratio ? crop_dim : resize_dim; }
  /// Rows of the patch grid; only with a patch size of at least 1.
  int64_t rows() const { return input_size() / patch_size; }
  /// Columns of it, as many as rows.
  int64_t columns() const { return input_size() / patch_size; }
};

/// One image's way from original pixels to the grid: the spec of the backbone and the size of that image.
struct ImageGeometry {
  int64_t image_width = 0;   ///< pixels of the original image
  int64_t image_height = 0;  ///< pixels of the original image
  ImageSpec spec;            ///< of the backbone
  int64_t rows = 0;          ///< of the patch grid that the features have
  int64_t columns = 0;       ///< of the same

  /// G, the number of patches.
  int64_t patches() const { return rows * columns; }
};

/// The geometry of an image of that size under `spec`, with the grid that `spec` implies. Throws an Error of
/// kind config for a spec without patches, as a backbone without an image side has it.
inline ImageGeometry geometry_of(const ImageSpec& spec, int64_t image_width, int64_t image_height) {
  if (spec.patch_size < 1) {
    throw Error(ErrorKind::config, "the backbone has no image side: its patch size is {}", spec.patch_size);
  }
  return {image_width, image_height, spec, spec.rows(), spec.columns()};
}

}  // namespace patchioner
