// Any bytes as an image file of whatever format they begin as.
#include "fuzz/refusals.hpp"
#include "image/image.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace patchioner;
  allow_refusal({ErrorKind::data}, [&] {
    const Image image = decode_image(std::as_bytes(std::span(data, size)), "fuzz", ExifOrientation::apply);
    image.pixels.max();  // every pixel is read
  });
  return 0;
}
