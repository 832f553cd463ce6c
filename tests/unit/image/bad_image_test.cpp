// Bad image files: each is an Error of kind data with one sentence that names the file and what is wrong.
#include <doctest/doctest.h>

#include <patchioner/log.hpp>

#include "image_files.hpp"
#include "refusals.hpp"

using namespace patchioner;
using namespace patchioner::test;

namespace {}  // namespace

TEST_CASE("a file that ends early is truncated, wherever it ends") {
  for (const char* name : {"plain.jpg", "progressive.jpg", "cmyk.jpg", "orientation6.png", "grey16.png",
                           "lossless.webp", "animated.webp", "plain.bmp", "plain.tif"}) {
    const std::string bytes = read_file(sample(name));
    for (size_t size = 12; size < bytes.size(); ++size) {
      CAPTURE(name);
      CAPTURE(size);
      const std::string sentence = refusal(bytes.substr(0, size));
      CHECK(contains(sentence, "truncated"));
      CHECK(contains(sentence, "test image: "));
    }
  }
}

TEST_CASE("a GIF has to hold its first picture") {
  const std::string bytes = read_file(sample("animated.gif"));
  const size_t first_picture_ends = 160;
  for (size_t size = 6; size < first_picture_ends; ++size) {
    CAPTURE(size);
    CHECK(contains(refusal(bytes.substr(0, size)), "truncated"));
  }
  CHECK(refusal(bytes.substr(0, first_picture_ends)).empty());
}

TEST_CASE("an empty file is said to be empty") {
  CHECK(contains(refusal(""), "is empty (0 bytes)"));
}

TEST_CASE("what is not an image is said not to be one") {
  CHECK(contains(refusal("a cat on a mat\n"), "not an image"));
  CHECK(contains(refusal(std::string(1000, '\0')), "not an image"));
  CHECK(contains(refusal("\xff"), "not an image"));
}

TEST_CASE("a folder and a missing file are named") {
  CHECK_THROWS_WITH_AS(read_image(sample(""), ExifOrientation::ignore),
                       doctest::Contains("a folder, not an image"), Error);
  CHECK_THROWS_WITH_AS(read_image(sample("absent.png"), ExifOrientation::ignore),
                       doctest::Contains("absent.png"), Error);
}

TEST_CASE("30,000 x 30,000 pixels are refused from the header, before anything is allocated") {
  const std::string png = make_png(30000, 30000, 2, "");
  CHECK(contains(refusal(png), "too large: 30000x30000 pixels"));
  CHECK(contains(refusal(make_png(0xFFFFFFFF, 0xFFFFFFFF, 2, "")), "too large"));

  std::string jpeg = read_file(sample("plain.jpg"));
  const size_t frame = jpeg.find("\xff\xc0");
  REQUIRE(frame != std::string::npos);
  jpeg.replace(frame + 5, 4, "\x75\x30\x75\x30");  // 30000 in two bytes, twice
  CHECK(contains(refusal(jpeg), "too large: 30000x30000 pixels"));

  std::string bmp = read_file(sample("plain.bmp"));
  bmp.replace(18, 8, std::string("\x30\x75\0\0\x30\x75\0\0", 8));
  CHECK(contains(refusal(bmp), "too large: 30000x30000 pixels"));
}

TEST_CASE("an image without pixels is refused") {
  CHECK(contains(refusal(make_png(0, 5, 2, "")), "no pixels (0x5)"));
}

TEST_CASE("a flipped bit in the pixels of a PNG is found by its checksum") {
  std::string png = make_png(4, 4, 0, std::string(16, 'x'));
  const size_t data = png.find("IDAT") + 6;
  png[data] = static_cast<char>(png[data] ^ 1);
  CHECK(contains(refusal(png), "the checksum of its IDAT chunk at byte 33 is wrong"));
}

TEST_CASE("a PNG whose pixels stop early inside a whole file is refused") {
  // Four rows are announced, one is there.
  const std::string header = big_endian(4) + big_endian(4) + std::string("\x08\0\0\0\0", 5);
  std::string one_row = make_png(4, 1, 0, "abcd");
  const std::string png = one_row.substr(0, 8) + png_chunk("IHDR", header) + one_row.substr(8 + 25);
  CHECK(contains(refusal(png), "damaged"));
}

TEST_CASE("random damage never does worse than an Error") {
  const auto sink = set_log_sink([](LogLevel, const std::string&) {});  // damaged JPEGs are warned about
  uint32_t state = 12345;
  const auto random = [&state] { return state = state * 1664525 + 1013904223, state >> 8; };
  for (const char* name : {"plain.jpg", "progressive.jpg", "animated.gif", "animated.webp", "lossless.webp",
                           "plain.bmp", "deflated.tif", "orientation6.tif", "orientation6.png"}) {
    const std::string bytes = read_file(sample(name));
    for (int round = 0; round < 60; ++round) {
      std::string damaged = bytes;
      for (uint32_t flips = 1 + random() % 4; flips > 0; --flips) {
        damaged[random() % damaged.size()] = static_cast<char>(random());
      }
      try {
        decode(damaged, ExifOrientation::apply);
      } catch (const Error&) {
      }
    }
  }
  set_log_sink(sink);
}
