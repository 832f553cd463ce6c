#include "report/encode.hpp"

#include <doctest/doctest.h>

#include <patchioner/error.hpp>

using namespace patchioner;

TEST_CASE("base64 gives the examples of RFC 4648, section 10") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xff\xfe") == "//4=");
}

TEST_CASE("text cannot leave its place in a page") {
  CHECK(escape_html("<b onclick='x'>\"&\"</b>") ==
        "&lt;b onclick=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/b&gt;");
}

TEST_CASE("ill-formed UTF-8 and control characters are replaced") {
  CHECK(escape_html("caf\xc3\xa9 \xf0\x9f\x90\xb1") == "caf\xc3\xa9 \xf0\x9f\x90\xb1");
  CHECK(escape_html("a\xff"
                    "b") ==
        "a\xef\xbf\xbd"
        "b");
  CHECK(escape_html("\xc3") == "\xef\xbf\xbd");
  CHECK(escape_html("\xed\xa0\x80") == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // a surrogate
  CHECK(escape_html(std::string_view("\0", 1)) == "\xef\xbf\xbd");
}

TEST_CASE("encoded pictures begin as their formats do") {
  const at::Tensor pixels = at::full({3, 5, 3}, 128, at::kByte);
  CHECK(encode_png(pixels).starts_with("\x89PNG\r\n"));
  CHECK(encode_jpeg(pixels, 80).starts_with("\xff\xd8\xff"));
}

TEST_CASE("shrinking keeps the shape and never enlarges") {
  CHECK(shrink(at::zeros({100, 400, 3}, at::kByte), 40).sizes() == at::IntArrayRef({10, 40, 3}));
  CHECK(shrink(at::zeros({4000, 2, 3}, at::kByte), 40).sizes() == at::IntArrayRef({40, 1, 3}));
  CHECK(shrink(at::zeros({10, 20, 3}, at::kByte), 40).sizes() == at::IntArrayRef({10, 20, 3}));
}

TEST_CASE("a picture that cannot be written says where") {
  const at::Tensor pixels = at::zeros({2, 2, 3}, at::kByte);
  CHECK_THROWS_WITH_AS(write_png("/no/such/folder/a.png", pixels), doctest::Contains("/no/such/folder/a.png"),
                       Error);
}
