// Every format and pixel layout that is read (spec/01 section 3). Expected JPEG values: Pillow 10.4 on the
// same file.
#include <doctest/doctest.h>

#include "image_files.hpp"

using namespace patchioner;
using namespace patchioner::test;

namespace {

at::Tensor read(const std::string& name, ExifOrientation orientation = ExifOrientation::ignore) {
  return read_image(sample(name), orientation).pixels;
}

at::Tensor bytes(std::initializer_list<int> values) {
  return at::tensor(std::vector<int64_t>(values.begin(), values.end())).to(at::kByte);
}

}  // namespace

TEST_CASE("lossless formats give the pixels that were stored") {
  for (const char* name : {"lossless.webp", "plain.bmp", "plain.tif", "deflated.tif", "orientation1.png"}) {
    CAPTURE(name);
    CHECK(at::equal(read(name), pattern(6, 4)));
  }
}

TEST_CASE("an animation gives its first frame") {
  for (const char* name : {"animated.gif", "animated.webp", "animated.png"}) {
    CAPTURE(name);
    CHECK(at::equal(read(name), pattern(6, 4)));
  }
}

TEST_CASE("baseline and progressive JPEGs decode as Pillow decodes them") {
  for (const char* name : {"plain.jpg", "progressive.jpg"}) {
    CAPTURE(name);
    const at::Tensor pixels = read(name);
    REQUIRE(pixels.sizes() == at::IntArrayRef{8, 16, 3});
    CHECK(at::equal(pixels[0].slice(0, 0, 3).flatten(), bytes({0, 2, 0, 22, 7, 10, 57, 9, 31})));
    CHECK(at::equal(pixels[7][15], bytes({48, 109, 127})));
  }
}

TEST_CASE("the four inks of a CMYK JPEG are converted as Pillow converts them") {
  const at::Tensor pixels = read("cmyk.jpg");
  CHECK(at::equal(pixels[0].slice(0, 0, 3).flatten(), bytes({0, 0, 0, 32, 37, 35, 53, 74, 67})));
  CHECK(at::equal(pixels[7][15], bytes({36, 24, 24})));
}

TEST_CASE("of 16 bits a sample the upper 8 are kept") {
  const at::Tensor expected =
      (at::arange(24) * 2731 / 256).floor().to(at::kByte).view({4, 6, 1}).expand({4, 6, 3});
  CHECK(at::equal(read("grey16.png"), expected));
}

TEST_CASE("grey is replicated and alpha is dropped, not blended") {
  CHECK(at::equal(decode(make_png(2, 1, 0, {7, 9})).pixels.flatten(), bytes({7, 7, 7, 9, 9, 9})));
  CHECK(at::equal(decode(make_png(2, 1, 4, {7, 0, 9, 1})).pixels.flatten(), bytes({7, 7, 7, 9, 9, 9})));
  CHECK(at::equal(decode(make_png(2, 1, 6, {1, 2, 3, 0, 4, 5, 6, 1})).pixels.flatten(),
                  bytes({1, 2, 3, 4, 5, 6})));
}

TEST_CASE("a palette is expanded and its transparency ignored") {
  const at::Tensor pixels = read("palette_transparent.png");
  CHECK(at::equal(pixels[0].slice(0, 0, 3).flatten(), bytes({255, 0, 0, 0, 255, 0, 0, 0, 255})));
}

TEST_CASE("a 1x1 image is an image") {
  CHECK(at::equal(decode(make_png(1, 1, 2, {10, 20, 30})).pixels.flatten(), bytes({10, 20, 30})));
}

TEST_CASE("EXIF orientation is ignored unless it is asked for, and then applied once") {
  const at::Tensor stored = pattern(6, 4);
  // By EXIF 2.3: which edge of the stored image is the top (dimension 0 reversed or not) and which the left.
  const std::vector<at::Tensor> shown = {
      stored,                                   // 1
      stored.flip(1),                           // 2 mirrored
      stored.flip(0).flip(1),                   // 3 half a turn
      stored.flip(0),                           // 4
      stored.transpose(0, 1),                   // 5
      stored.rot90(-1, {0, 1}),                 // 6 a quarter clockwise
      stored.rot90(2, {0, 1}).transpose(0, 1),  // 7
      stored.rot90(1, {0, 1}),                  // 8 a quarter anticlockwise
  };
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    const std::string name = "orientation" + std::to_string(orientation) + ".png";
    CHECK(at::equal(read(name), stored));
    CHECK(at::equal(read(name, ExifOrientation::apply), shown[orientation - 1]));
  }
  CHECK(at::equal(read("orientation6.webp"), stored));
  CHECK(at::equal(read("orientation6.webp", ExifOrientation::apply), shown[5]));
}

TEST_CASE("the orientation of a TIFF belongs to its storage and is applied once in both modes") {
  const at::Tensor shown = pattern(6, 4).rot90(-1, {0, 1});
  CHECK(at::equal(read("orientation6.tif"), shown));
  CHECK(at::equal(read("orientation6.tif", ExifOrientation::apply), shown));
}

TEST_CASE("chunks of a PNG that hold no pixels cannot make it fail") {
  std::string png = make_png(1, 1, 0, {5});
  const std::string header = png.substr(0, 8 + 25);
  const std::string rest = png.substr(header.size());
  const Image image = decode(header + png_chunk("iCCP", "not a profile") + png_chunk("tEXt", "x") + rest);
  CHECK(at::equal(image.pixels.flatten(), bytes({5, 5, 5})));
}

TEST_CASE("a mask is its alpha where it has one, otherwise any colour above 0") {
  const TestFolder folder;
  const auto alpha =
      folder.write("alpha.png", make_png(3, 1, 6, {9, 9, 9, 0, 0, 0, 0, 1, 0, 0, 0, static_cast<char>(255)}));
  CHECK(at::equal(read_mask(alpha), at::tensor({0, 1, 1}).to(at::kBool).view({1, 3})));
  const auto colour = folder.write("colour.png", make_png(3, 1, 2, {0, 0, 0, 0, 0, 1, 9, 0, 0}));
  CHECK(at::equal(read_mask(colour), at::tensor({0, 1, 1}).to(at::kBool).view({1, 3})));
  const auto grey = folder.write("grey.png", make_png(2, 2, 0, {0, 1, 2, 0}));
  CHECK(at::equal(read_mask(grey), at::tensor({0, 1, 1, 0}).to(at::kBool).view({2, 2})));
  // 16 bits: 2731 * 0 is the only unmarked pixel, though 2731 / 256 would round smaller values away.
  CHECK(read_mask(sample("grey16.png")).sum().item<int64_t>() == 23);
}

TEST_CASE("a lossy image is refused as a mask, whose black would not be exactly 0") {
  CHECK_THROWS_WITH_AS(read_mask(sample("plain.jpg")), doctest::Contains("a JPEG cannot be a mask"), Error);
  for (const char* name : {"lossy.webp", "lossy_animated.webp"}) {
    CHECK_THROWS_WITH_AS(read_mask(sample(name)), doctest::Contains("a lossy WebP cannot be a mask"), Error);
  }
}

TEST_CASE("a lossless WebP, and the exact alpha of a lossy one, is a mask") {
  CHECK(read_mask(sample("lossless.webp")).sum().item<int64_t>() == 23);
  const at::Tensor mask = read_mask(sample("lossy_alpha.webp"));  // [8,16]
  CHECK(!mask.slice(1, 0, 8).any().item<bool>());
  CHECK(mask.slice(1, 8, 16).all().item<bool>());
}
