// Patch weights as a see-through picture to lay over the image.
#pragma once

#include <ATen/ATen.h>

namespace patchioner {

enum class HeatInterpolation { nearest, bicubic };

/// [rows,columns] weights -> [height,width,4] uint8 RGBA. The largest weight is the most coloured; where
/// there is no weight the picture is darkened, so that what was looked at stands out. All-equal and
/// non-finite weights give a fully transparent picture.
at::Tensor heat_map(const at::Tensor& weights, int64_t width, int64_t height,
                    HeatInterpolation interpolation);

/// `rgba` [h,w,4] laid over a copy of `pixels` [H,W,3] with its top left corner at (x,y); what lies outside
/// is cut off.
at::Tensor lay_over(const at::Tensor& pixels, const at::Tensor& rgba, int64_t x, int64_t y);

}  // namespace patchioner
