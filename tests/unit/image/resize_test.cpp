// Resize and preprocessing. The expected bytes were computed with Pillow 10.4's Image.resize(..., BICUBIC).
#include "image/resize.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image_files.hpp"

using namespace patchioner;

namespace {

at::Tensor grid(std::initializer_list<int> values, int64_t rows, int64_t columns) {
  return at::tensor(std::vector<int64_t>(values.begin(), values.end()))
      .to(at::kByte)
      .view({rows, columns, 1});
}

const at::Tensor& source() {
  static const at::Tensor pixels = grid({0, 50, 100, 150, 255, 10, 200, 30, 40, 90, 255, 255, 0, 0, 7}, 3, 5);
  return pixels;
}

/// The same pixels in memory that ends with them: reading further is a crash.
at::Tensor before_a_guard_page(const at::Tensor& pixels) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  void* pages = ::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(pages != MAP_FAILED);
  REQUIRE(::mprotect(static_cast<char*>(pages) + page, page, PROT_NONE) == 0);
  const at::Tensor copy = at::from_blob(
      static_cast<char*>(pages) + page - pixels.numel(), pixels.sizes(),
      [=](void*) { ::munmap(pages, 2 * page); }, at::kByte);
  return copy.copy_(pixels);
}

ImageSpec spec_of(int64_t resize, int64_t crop, bool keep_ratio) {
  ImageSpec spec;
  spec.resize_dim = resize;
  spec.crop_dim = crop;
  spec.keep_img_ratio = keep_ratio;
  spec.patch_size = 1;
  spec.mean = {0.5F, 0.25F, 0.0F};
  spec.std = {0.5F, 0.25F, 2.0F};
  return spec;
}

}  // namespace

TEST_CASE("shrinking averages over the wider kernel") {
  CHECK(at::equal(resize_bicubic(source(), 3, 2), grid({38, 90, 164, 202, 59, 16}, 2, 3)));
}

TEST_CASE("growing overshoots and is clipped to bytes") {
  CHECK(at::equal(resize_bicubic(source(), 8, 4),
                  grid({0,  13,  45,  84, 119, 151, 224, 255, 0,   54,  141, 84, 55, 81, 130, 160,
                        95, 159, 227, 77, 5,   16,  36,  51,  255, 255, 248, 68, 0,  0,  1,   4},
                       4, 8)));
}

TEST_CASE("a side that keeps its length is not filtered") {
  CHECK(at::equal(resize_bicubic(source(), 5, 2), grid({0, 100, 77, 113, 201, 170, 242, 8, 10, 29}, 2, 5)));
  CHECK(at::equal(resize_bicubic(source(), 5, 3), source()));
}

TEST_CASE("channels are resized independently, and a window is the full result cut out") {
  const at::Tensor pixels = test::pattern(61, 47);
  const at::Tensor whole = resize_bicubic(pixels, 33, 90);
  for (int64_t channel = 0; channel < 3; ++channel) {
    CHECK(at::equal(resize_bicubic(pixels.slice(2, channel, channel + 1), 33, 90),
                    whole.slice(2, channel, channel + 1)));
  }
  CHECK(at::equal(resize_bicubic_window(pixels, 33, 90, {5, 40, 20, 17}),
                  whole.slice(0, 40, 57).slice(1, 5, 25)));
  const at::Tensor same_width = resize_bicubic(pixels, 61, 90);
  CHECK(at::equal(resize_bicubic_window(pixels, 61, 90, {5, 40, 20, 17}),
                  same_width.slice(0, 40, 57).slice(1, 5, 25)));
}

TEST_CASE("nothing behind the last pixel is read, however narrow the image") {
  for (int64_t width = 1; width <= 5; ++width) {
    const at::Tensor pixels = before_a_guard_page(test::pattern(width, 4).slice(2, 0, 1));
    CHECK(at::equal(resize_bicubic(pixels, 3 * width, 4), resize_bicubic(pixels.clone(), 3 * width, 4)));
  }
  const at::Tensor column = before_a_guard_page(grid({7, 8, 9}, 3, 1));
  CHECK(at::equal(resize_bicubic(column, 2, 3), grid({7, 7, 8, 8, 9, 9}, 3, 2)));
}

TEST_CASE("a size of 0 is refused") {
  CHECK_THROWS_AS(resize_bicubic(source(), 0, 4), Error);
}

TEST_CASE("squash loses the aspect ratio, crop keeps it and cuts the middle") {
  const at::Tensor pixels = test::pattern(20, 10);
  CHECK(at::equal(resize_for(pixels, spec_of(10, 10, false)), resize_bicubic(pixels, 10, 10)));
  CHECK(at::equal(resize_for(pixels, spec_of(10, 10, true)), pixels.slice(1, 5, 15)));
  CHECK(at::equal(resize_for(pixels, spec_of(10, 7, true)),
                  pixels.slice(0, 2, 9).slice(1, 6, 13)));  // 1.5 -> 2, 6.5 -> 6
}

TEST_CASE("an image smaller than the crop is padded with black") {
  const at::Tensor result = resize_for(test::pattern(4, 3).fill_(9), spec_of(3, 6, true));
  CHECK(at::equal(result.slice(2, 0, 1), grid({0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 0, 0, 9, 9, 9, 9, 0,
                                               0, 9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                                              6, 6)));
}

TEST_CASE("a 1x1 image becomes an input of one colour") {
  const at::Tensor pixel = at::tensor({10, 20, 30}).to(at::kByte).view({1, 1, 3});
  CHECK(at::equal(resize_for(pixel, spec_of(14, 14, false)), pixel.expand({14, 14, 3})));
  CHECK(at::equal(resize_for(pixel, spec_of(14, 14, true)), pixel.expand({14, 14, 3})));
}

TEST_CASE("a long thin image is cropped without its full resize, which would not fit into memory") {
  const at::Tensor result = resize_for(test::pattern(1, 100000), spec_of(224, 224, true));
  CHECK(result.sizes() == at::IntArrayRef{224, 224, 3});
}

TEST_CASE("normalise divides by 255, subtracts the mean and divides by std, channel by channel") {
  const at::Tensor pixels = at::tensor({255, 0, 51}).to(at::kByte).view({1, 1, 3});
  const at::Tensor result = normalise(pixels, spec_of(1, 1, false));
  CHECK(result.sizes() == at::IntArrayRef{3, 1, 1});
  CHECK(result[0].item<float>() == 1.0F);
  CHECK(result[1].item<float>() == -1.0F);
  CHECK(result[2].item<float>() == doctest::Approx(0.1));
}

TEST_CASE("crop_box rounds its corners half to even and is black outside the image") {
  const Image image{test::pattern(10, 8).add(1), "x"};
  CHECK(at::equal(crop_box(image, {2.5, 3.5, 4, 2}).pixels,
                  image.pixels.slice(0, 4, 6).slice(1, 2, 6)));  // 2.5 -> 2, 6.5 -> 6; 3.5 -> 4, 5.5 -> 6
  const at::Tensor corner = crop_box(image, {-2, -1, 4, 3}).pixels;
  CHECK(corner.sizes() == at::IntArrayRef{3, 4, 3});
  CHECK(at::equal(corner.slice(0, 1).slice(1, 2), image.pixels.slice(0, 0, 2).slice(1, 0, 2)));
  CHECK(corner[0].sum().item<int64_t>() == 0);
  CHECK(corner.slice(1, 0, 2).sum().item<int64_t>() == 0);
  CHECK(crop_box(image, {50, 50, 3, 2}).pixels.sum().item<int64_t>() == 0);
}

TEST_CASE("crop_box widens a box without area to a pixel") {
  const Image image{test::pattern(10, 8), "x"};
  CHECK(crop_box(image, {3, 4, 0, 0}).pixels.sizes() == at::IntArrayRef{1, 1, 3});
  CHECK(crop_box(image, {3.1, 4.1, 0.2, 0.2}).pixels.sizes() == at::IntArrayRef{1, 1, 3});
}

TEST_CASE("crop_box refuses NaN, inverted and gigantic boxes") {
  const Image image{test::pattern(10, 8), "x.png"};
  CHECK_THROWS_WITH_AS(crop_box(image, {std::nan(""), 0, 1, 1}),
                       doctest::Contains("x.png: the box [nan, 0, 1, 1]"), Error);
  CHECK_THROWS_WITH_AS(crop_box(image, {5, 5, -2, 1}), doctest::Contains("not negative"), Error);
  CHECK_THROWS_WITH_AS(crop_box(image, {0, 0, 1e300, 1}), doctest::Contains("finite"), Error);
  CHECK_THROWS_WITH_AS(crop_box(image, {0, 0, 1e8, 1e8}), doctest::Contains("too many"), Error);
}
