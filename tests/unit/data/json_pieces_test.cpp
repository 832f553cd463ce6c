#include "data/json_pieces.hpp"

#include <doctest/doctest.h>

#include "refusals.hpp"

using namespace patchioner;

namespace {

/// "key=text@byte" of each member.
std::string members_of(const std::string& document) {
  std::string all;
  visit_members(whole_document(document, "f.json"), "f.json", [&](const JsonPiece& piece) {
    all += (all.empty() ? "" : " ") + piece.key + "=" + std::string(piece.text) + "@" +
           std::to_string(piece.begin);
    return true;
  });
  return all;
}

}  // namespace

TEST_CASE("members come unparsed, with their bytes") {
  CHECK(members_of(R"( {"a": [1, {"b": "]}"}], "c\"d":"x", "e": -1.5} )") ==
        R"(a=[1, {"b": "]}"}]@7 c"d="x"@32 e=-1.5@42)");
  CHECK(members_of("\xef\xbb\xbf[1,[ ],{}]") == "=1@4 =[ ]@6 ={}@10");
  CHECK(members_of("[]").empty());
  CHECK(members_of("{ }\n").empty());
}

TEST_CASE("a visitor that has seen enough does not see what follows") {
  int seen = 0;
  visit_members(whole_document("[1, 2, what", "f"), "f", [&](const JsonPiece&) { return ++seen < 2; });
  CHECK(seen == 2);
}

TEST_CASE("damage is told by its byte") {
  const auto refusal = [](const std::string& document) {
    return refusal_of(ErrorKind::data, [&] { members_of(document); });
  };
  mentions(refusal(""), "f.json: the file is empty");
  mentions(refusal("[1, {\"a\": \"cut"),
           "it ends at byte 14, in the middle of what begins at byte 0; the file is cut");
  mentions(refusal("[1, [2}]"), "at byte 6: '}' closes what was opened by '['");
  mentions(refusal("[1 2]"), "at byte 3: ',' or ']' was expected");
  mentions(refusal("{1: 2}"), "at byte 1: a key in quotation marks was expected");
  mentions(refusal("{\"a\" 2}"), "at byte 5: ':' was expected");
  mentions(refusal("[1] x"), "at byte 4: something follows the end");
  mentions(refusal("[,]"), "at byte 1: a value was expected");
  mentions(refusal("7"), "at byte 0: an object or a list was expected");
  mentions(refusal("[" + std::string(100, '[')), "nested more than 64 deep");
  mentions(refusal("[\"a\\"), "the file is cut");
}

TEST_CASE("a piece is parsed with its bytes in messages") {
  const JsonPiece piece{{}, 0, "{\"a\": tru}", 1000};
  mentions(refusal_of(ErrorKind::data, [&] { parse_piece(piece, "f.json"); }),
           "f.json: is no valid JSON at byte 1009");
  mentions(refusal_of(ErrorKind::data,
                      [] {
                        parse_piece({{}, 0, "[1e999]", 50}, "f.json");
                      }),
           "f.json: what begins at byte 50 cannot be read");
  CHECK(parse_piece({{}, 0, R"({"b":1,"a":2})", 0}, "f").dump() == R"({"b":1,"a":2})");
}
