// Sizes as people write them.
#include "support/byte_size.hpp"

#include <doctest/doctest.h>

#include "refusals.hpp"

using namespace patchioner;

TEST_CASE("a size is a number and a unit, of powers of 1000 or 1024") {
  CHECK(parse_bytes("0") == 0);
  CHECK(parse_bytes("512") == 512);
  CHECK(parse_bytes("7B") == 7);
  CHECK(parse_bytes("10GB") == 10'000'000'000);
  CHECK(parse_bytes("50 GB") == 50'000'000'000);
  CHECK(parse_bytes(" 1.5 kB ") == 1500);
  CHECK(parse_bytes("10MiB") == 10 * 1024 * 1024);
  CHECK(parse_bytes("2tib") == 2ULL << 40);
  CHECK(parse_bytes("0.5KIB") == 512);
}

TEST_CASE("what is no size is refused with what could be written") {
  for (const char* text :
       {"", "GB", "ten GB", "-1", "-1GB", "10 G", "10 GBs", "1e3", "1,5GB", "inf", "nan", "0x10"}) {
    INFO(text);
    mentions(refusal_of(ErrorKind::usage, [&] { parse_bytes(text); }), "such as 10GB");
  }
  mentions(refusal_of(ErrorKind::usage, [] { parse_bytes("99999999 TB"); }), "more than any disk holds");
}

TEST_CASE("sizes are shown with one digit behind the point") {
  CHECK(format_bytes(0) == "0 B");
  CHECK(format_bytes(999) == "999 B");
  CHECK(format_bytes(1000) == "1.0 kB");
  CHECK(format_bytes(1549) == "1.5 kB");
  CHECK(format_bytes(999'949) == "999.9 kB");
  CHECK(format_bytes(999'950) == "1.0 MB");
  CHECK(format_bytes(23'400'000'000) == "23.4 GB");
  CHECK(format_bytes(UINT64_MAX) == "18.4 EB");
}
