#include "support/split.hpp"

#include <doctest/doctest.h>

using namespace patchioner;

TEST_CASE("a text is split at every separator, and empty parts stay") {
  using Parts = std::vector<std::string>;
  CHECK(split("1,2.5,x", ',') == Parts{"1", "2.5", "x"});
  CHECK(split(",a,,b,", ',') == Parts{"", "a", "", "b", ""});
  CHECK(split("a;b", ',') == Parts{"a;b"});
  CHECK(split("", ',') == Parts{""});
}
