#include "config/value_key.hpp"

#include <doctest/doctest.h>

#include "config/config.hpp"

using namespace patchioner;

TEST_CASE("values have the same key when they have the same content and their paths start alike") {
  const auto key = [](const char* yaml, const char* file) { return key_of(parse_yaml(yaml, file)); };
  CHECK(key("{a: 1, b: [x, 0.5, null]}", "f.yaml") == key("a: 1\nb:\n  - x\n  - 0.5\n  - null", "f.yaml"));
  CHECK(key("{a: x}", "f.yaml") != key("{a: x}", "g/f.yaml"));
  CHECK(key("{a: 1}", "f.yaml") == key("{a: 1}", "g/f.yaml"));  // no text, no path
  for (const char* other :
       {"{a: '1'}", "{a: 1.0}", "{a: [1]}", "{b: 1}", "{a: true}", "{a: null}", "{a: {}}", "[a, 1]"}) {
    CHECK(key("{a: 1}", "f.yaml") != key(other, "f.yaml"));
  }
  CHECK(key("[ab, c]", "f") != key("[a, bc]", "f"));
}
