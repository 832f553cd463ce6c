#include "text/caption_text.hpp"

#include <doctest/doctest.h>

namespace patchioner {
namespace {

TEST_CASE("a caption loses spaces and full stops at both ends and nothing inside") {
  CHECK(strip_caption("a bench . ") == "a bench");
  CHECK(strip_caption(" . . a no . 5 sign") == "a no . 5 sign");
  CHECK(strip_caption("plates & forks ") == "plates & forks");
  CHECK(strip_caption("what ?") == "what ?");
  CHECK(strip_caption("\tnot a space ") == "\tnot a space");
  CHECK(strip_caption(" .. ").empty());
  CHECK(strip_caption("").empty());
}

}  // namespace
}  // namespace patchioner
