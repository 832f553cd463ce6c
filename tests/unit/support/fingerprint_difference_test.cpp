// What is said of two fingerprints.
#include "support/fingerprint_difference.hpp"

#include <doctest/doctest.h>

namespace patchioner {
namespace {

TEST_CASE("fingerprints are compared part by part where they have the same parts, and whole where not") {
  CHECK(fingerprint_difference("clip_text:a", "clip_text:b") == "clip_text a there, b here");
  CHECK(fingerprint_difference("projection:a,act=tanh,x:1", "projection:a,act=relu,x:2") ==
        "act tanh there, relu here; x 1 there, 2 here");
  CHECK(fingerprint_difference("clip_text:a", "projection:a,clip_text:b") ==
        "clip_text:a there, projection:a,clip_text:b here");
  CHECK(fingerprint_difference("old", "new") == "old there, new here");
  CHECK(fingerprint_difference("x:1", "x:1").empty());
  CHECK(fingerprint_difference("", "x:1") == " there, x:1 here");
}

}  // namespace
}  // namespace patchioner
