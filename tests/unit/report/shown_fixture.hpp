// A small made-up result: a picture with a bright disc and one region of every kind.
#pragma once

#include "report/shown.hpp"

namespace patchioner {

inline at::Tensor disc_picture(int64_t width, int64_t height) {
  at::Tensor pixels = at::empty({height, width, 3}, at::kByte);
  auto* out = pixels.data_ptr<uint8_t>();
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x, out += 3) {
      const bool inside = std::hypot(static_cast<double>(x - width / 3),
                                     static_cast<double>(y - height / 2)) < static_cast<double>(height) / 4;
      out[0] = inside ? 240 : static_cast<uint8_t>(60 + 80 * x / width);
      out[1] = inside ? 200 : static_cast<uint8_t>(110 + 60 * y / height);
      out[2] = inside ? 40 : 150;
    }
  }
  return pixels;
}

inline ShownImage shown_example() {
  ShownImage image;
  image.title = "shelf/two <discs> & a cat.jpg";
  image.pixels = disc_picture(320, 240);
  image.geometry =
      geometry_of({.resize_dim = 112, .crop_dim = 112, .patch_size = 14, .mean = {}, .std = {}}, 320, 240);
  at::Tensor weights = at::zeros({8, 8}, at::kFloat);
  weights.slice(0, 3, 6).slice(1, 2, 5).fill_(1.0 / 9);
  at::Tensor mask = at::zeros({240, 320}, at::kBool);
  mask.slice(0, 150, 220).slice(1, 200, 300).fill_(true);
  mask.slice(0, 170, 200).slice(1, 230, 270).fill_(false);
  const auto add = [&](RegionShape shape, std::string caption, double score) -> ShownRegion& {
    ShownRegion region;
    region.region.shape = std::move(shape);
    ShownAnswer& answer = region.answers.emplace_back();
    answer.caption = std::move(caption);
    answer.score = score;
    image.regions.push_back(std::move(region));
    return image.regions.back();
  };
  add(WholeImage{}, "a yellow disc on a green field", 0.0412);
  ShownRegion& box = add(Box{60, 70, 90, 100}, "a round cheese lying beside a smaller, angrier cheese", 0.31);
  box.region.id = "cheese";
  box.weights = weights;
  box.answers[0].memory = {{"a cheese on a table", 0.91, 0.62}, {"the moon over a field", 0.84, 0.2}};
  box.answers[0].tokens = {{"a</w>", -0.02}, {"round</w>", -0.9}, {"cheese</w>", -0.3}};
  add(BoxSet{{{10, 10, 60, 40}, {220, 20, 80, 60}}}, "two clouds", 0.2);
  add(Trace{{{0.2, 0.8}, {0.3, 0.7}, {0.4, 0.85}, {0.6, 0.8}}}, "grass", 0.1);
  add(Mask{mask}, "a frame", 0.5).answers[0].warnings = {"the mask has a hole"};
  add(Patch{1, 6}, "sky", 0.02);
  add(ImagePoint{160, 120}, "a horizon", 0.07);
  add(Box{900, 900, 5, 5}, "", 0).answers[0].error = "the box lies outside the image (320x240)";
  return image;
}

}  // namespace patchioner
