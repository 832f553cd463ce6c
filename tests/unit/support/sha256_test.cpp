#include <doctest/doctest.h>

#include <vector>

#include "support/files.hpp"
#include "support/sha256_blocks.hpp"

using namespace patchioner;

TEST_CASE("the digest is right for every length around the padding's changes") {
  // Digests of the bytes 0, 1, 2 ... by Python's hashlib.
  const auto digest = [](size_t size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) {
      text.push_back(static_cast<char>(i));
    }
    return sha256(text);
  };
  CHECK(digest(1) == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  CHECK(digest(55) == "463eb28e72f82e0a96c0a4cc53690c571281131f672aa229e0d45ae59b598b59");
  CHECK(digest(56) == "da2ae4d6b36748f2a318f23e7ab1dfdf45acdc9d049bd80e59de82a60895f562");
  CHECK(digest(63) == "29af2686fd53374a36b0846694cc342177e428d1647515f078784d69cdb9e488");
  CHECK(digest(64) == "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108");
  CHECK(digest(119) == "da18797ed7c3a777f0847f429724a2d8cd5138e6ed2895c3fa1a6d39d18f7ec6");
  CHECK(digest(120) == "f52b23db1fbb6ded89ef42a23ce0c8922c45f25c50b568a93bf1c075420bbb7c");
}

TEST_CASE("the processor's instructions and portable code give the same state") {
  std::vector<uint8_t> bytes(100 * kSha256BlockBytes);
  uint32_t value = 1;
  for (uint8_t& byte : bytes) {
    value = value * 1664525 + 1013904223;
    byte = static_cast<uint8_t>(value >> 24);
  }
  for (const size_t blocks : {size_t{0}, size_t{1}, size_t{2}, size_t{99}}) {
    CAPTURE(blocks);
    Sha256State fast = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 1, 2, 3, 0xffffffff};
    Sha256State portable = fast;
    compress_sha256(fast, bytes.data() + 1, blocks);  // not aligned
    compress_sha256_portable(portable, bytes.data() + 1, blocks);
    CHECK(fast == portable);
  }
}
