// Regions drawn into images, against Pillow 10.4 (spec/05 section 1). Each digest is the SHA-256 of the RGB
// bytes that ImageDraw.rectangle(box, outline="red", width=2), ImageDraw.ellipse on a transparent layer with
// Image.alpha_composite, Image.crop, and Image.save as JPEG gave for the image below.
#include "scoring/region_marks.hpp"

#include <doctest/doctest.h>

#include "support/files.hpp"

namespace patchioner {
namespace {

constexpr int64_t kHeight = 36;
constexpr int64_t kWidth = 44;

Image sloping_image(bool grey = false) {
  at::Tensor pixels = at::empty({kHeight, kWidth, 3}, at::kByte);
  auto bytes = pixels.accessor<uint8_t, 3>();
  for (int64_t y = 0; y < kHeight; ++y) {
    for (int64_t x = 0; x < kWidth; ++x) {
      const int64_t red = 5 * x + 2 * y;
      bytes[y][x][0] = static_cast<uint8_t>(red);
      bytes[y][x][1] = static_cast<uint8_t>(grey ? red : 3 * y + x * y / 4);
      bytes[y][x][2] = static_cast<uint8_t>(grey ? red : 200 - 3 * x + y);
    }
  }
  return {pixels, "sloping"};
}

std::string digest(const Image& image) {
  const at::Tensor pixels = image.pixels.contiguous();
  return sha256(std::string_view(static_cast<const char*>(pixels.const_data_ptr()),
                                 static_cast<size_t>(pixels.numel())));
}

// With fractions, over the border, of one pixel, and too small for two outlines.
const std::vector<BoxCorners> kBoxes = {
    {2.7, 1.2, 30.9, 20.99}, {-3, 5, 4, 60}, {20, 20, 20, 20}, {33.5, 28.1, 36.2, 30.7}, {10, 25, 12, 25}};

TEST_CASE("the test's image is the one that the digests are of") {
  CHECK(digest(sloping_image()) == "662fec5b13ef08e831196a92e2f7baa674cd59c925a41dddd886a412592daf74");
}

TEST_CASE("boxes are outlined as Pillow draws rectangles two pixels wide") {
  Image image = sloping_image();
  const Image before = image;
  draw_boxes(image, kBoxes);
  CHECK(digest(image) == "197d1446b22fcf69ab54592b0a71e93b1371a4726b127ea8b550504b4521c96c");
  CHECK(digest(before) == "662fec5b13ef08e831196a92e2f7baa674cd59c925a41dddd886a412592daf74");
  CHECK(digest(through_jpeg(image)) == "b363c720f978c656d38319b2decaef475ddd953e58ce411dbf6ab25739d9d3dc");
}

TEST_CASE("a sum of floats that misses its whole number does not move an outline") {
  Image exact = sloping_image();
  draw_boxes(exact, {{{{1, 1, 17, 9}}}});
  Image sums = sloping_image();
  draw_boxes(sums, {{{{1, 1, 16.999999999999996, 9.000000000000002}}}});
  CHECK(digest(exact) == digest(sums));
}

TEST_CASE("an image without colours gets grey outlines") {
  Image image = sloping_image(true);
  draw_boxes(image, kBoxes);
  CHECK(digest(image) == "a4365ed6c26ab0f40e093bc872e0af77560b9a88a74d74de3879b2e3f1cc665c");
  CHECK(digest(through_jpeg(image)) == "cf83675ebc9752a1fe2ec99bea1a68328438628407ecacb88f5dba569682f4f9");
}

TEST_CASE("traces are half-transparent dots, those outside left out, those that overlap one") {
  Image image = sloping_image();
  draw_trace(image, {{{0.5, 0.5}, {0.53, 0.5}, {1, 1}, {0, 0.3}, {1.01, 0.5}, {0.5, -0.001}, {0.999, 0.2}}});
  CHECK(digest(image) == "bb6f5f17930558710ed0dc58a865f1e69d1c1a1142b3e0595e8aacb3bd001782");
  CHECK(digest(through_jpeg(image)) == "e30f9eea2056ebd03eb613836f4f1321e623bc90a6e51f3a7c0c5825d5220966");
}

TEST_CASE("boxes are cut out with halves rounded to even, black outside, and a pixel for no length") {
  struct Cut {
    BoxCorners box;
    int64_t width;
    int64_t height;
    std::string pixels;
    std::string jpeg;
  };
  const std::vector<Cut> cuts = {
      {{2.5, 1.5, 30.5, 20.49},
       28,
       18,
       "2bbfa9ac9e6016b7617c892b58683822020c354a923cf4133338d4ff3012ec55",
       "43142cb5dc18804e9829444e149810f31d031cd7c3b26a7187ec0278bdade07c"},
      {{0, 5, 0, 9},
       1,
       4,
       "c5f150ef5f9f3509e8648a0581b64b7120aad7eb8d03c3fb0d6c8544d77d6752",
       "d106086074c2ed77625f11ff06e9a1ca3ac7801a284c7f314b50f4d861360014"},
      {{7, 9, 7, 9},
       1,
       1,
       "b5444d051a1ab43981cec035b827d17b4c6395ca0de754c0bda120f5eea4e15c",
       "79bca244633bf9c9198617de98652a8021b0fa813b6c0f3f78f4b3c426a5d551"},
      {{-4.2, -3, 10, 8},
       14,
       11,
       "471ea4aed09d5a0d6953ef42e22eced3e7792fa2991263826ff2361e97e52575",
       "cfdeb3266178a5eac560c14c652079c451083bb30b38616934e0e90a737b1572"},
      {{30, 20, 60, 50.6},
       30,
       31,
       "f9b4ce7ca60f1ffd2be005e844f8b3befe8596db6ebe92f2084b8577698501f2",
       "dad290b318b0a8a640a674a281741e3d002674427e25ac329d20ebb7580a6404"},
  };
  for (const Cut& cut : cuts) {
    CAPTURE(cut.width);
    const Image image = cut_box(sloping_image(), cut.box);
    CHECK(image.width() == cut.width);
    CHECK(image.height() == cut.height);
    CHECK(digest(image) == cut.pixels);
    CHECK(digest(through_jpeg(image)) == cut.jpeg);
  }
}

}  // namespace
}  // namespace patchioner
