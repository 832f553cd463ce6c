// The Penn Treebank tokenizer of caption scores and its wrapper (spec/05 section 2). What each text becomes
// was read off the original tool, CoreNLP 3.4.1's PTBTokenizer -preserveLines -lowerCase.
#include "metrics/caption_tokenizer.hpp"

#include <doctest/doctest.h>

#include "support/utf8.hpp"

namespace patchioner {
namespace {

std::string tokens_of(std::string_view text) {
  static const PtbLexer lexer;
  return lexer.tokens_of(text);
}

std::vector<std::string> words_of(const std::vector<std::string>& captions, bool sanitize = false) {
  return CaptionTokenizer({.sanitize_line_breaks = sanitize}).tokenize(captions);
}

using Words = std::vector<std::string>;

TEST_CASE("contractions come apart before their apostrophe") {
  CHECK(tokens_of("I don't think it's the dogs' toy") == "i do n't think it 's the dogs ' toy");
  CHECK(tokens_of("'Tis cannot gonna y'all") == "'t is can not gon na y' all");
  CHECK(tokens_of("the man\u2019s hat") == "the man 's hat");
}

TEST_CASE("hyphens, slashes and numbers hold words together") {
  CHECK(tokens_of("a mother-in-law and/or 1,000.50 at 10:30") == "a mother-in-law and/or 1,000.50 at 10:30");
  CHECK(tokens_of("3 1/2 pizzas \u00bd") == "3\u00a01/2 pizzas 1/2");
  CHECK(tokens_of("end.The dog") == "end.the dog");
}

TEST_CASE("an abbreviation keeps its dot, and gives it once more where a sentence ends") {
  CHECK(tokens_of("Mr. Fox of the U.S. sleeps") == "mr. fox of the u.s. sleeps");
  CHECK(tokens_of("fruit etc.\nThe end") == "fruit etc. .\nthe end");
  CHECK(tokens_of("fruit etc.\nand so on") == "fruit etc.\nand so on");
}

TEST_CASE("quotation marks, brackets and signs are named") {
  CHECK(tokens_of("\"a (b) [c] {d}\"") == "`` a -lrb- b -rrb- -lsb- c -rsb- -lcb- d -rcb- ''");
  CHECK(tokens_of("5\u00a2 or \u20ac5 &amp; more \u2014 ---") == "5 cents or $ 5 & more -- --");
  CHECK(tokens_of("so\u00adft \u00ad") == "soft -");
}

TEST_CASE("what has no rule is dropped and separates") {
  CHECK(tokens_of("a\U0001f600b") == "a b");
  CHECK(tokens_of("\xff\xfe a") == "a");
  CHECK(tokens_of("") == "");
}

TEST_CASE("tokens are in lower case by Unicode's full mappings") {
  CHECK(tokens_of("CAF\u00c9 \u039f\u0394\u039f\u03a3 \u0130X") ==
        "caf\u00e9 \u03bf\u03b4\u03bf\u03c2 i\u0307x");
}

TEST_CASE("the lexer reads any text and remembers nothing of it") {
  // Every unit of the plane alone: the automaton's rows are made anew on the way.
  std::string all;
  for (char32_t c = 1; c < 0xd800; ++c) {
    for (const char* before : {"a", "1", "."}) {
      all += before;
      append_utf8(all, c);
    }
  }
  const PtbLexer lexer;
  const std::string once = lexer.tokens_of(all);
  CHECK(once == lexer.tokens_of(all));
  CHECK(lexer.tokens_of("it's") == "it 's");
}

TEST_CASE("punctuation is left out, brackets are not") {
  CHECK(words_of({"A dog, (brown); runs... \"fast\"!"}) == Words{"a dog -lrb- brown -rrb- runs fast"});
  CHECK(words_of({"What?! - a / b & cat."}) == Words{"what ?! a / b & cat"});
  CHECK(words_of({"...", "", "  "}) == Words{"", "", ""});
  CHECK(without_punctuation("a . b \u00a0") == "a b");
}

TEST_CASE("a caption looks into the next one") {
  CHECK(words_of({"seen in the U.S.", "The dog"}) == Words{"seen in the u.s.", "the dog"});
  CHECK(words_of({"an <a href=\"b", "c\"> d", "e"}) == Words{"an <a\u00a0href=\"b", "c\"> d", "e"});
}

TEST_CASE("line ends inside of a caption are spaces, but all but one kind move the captions behind them") {
  CHECK(words_of({"a\nb", "c"}) == Words{"a b", "c"});
  CHECK(words_of({"a\rb", "c"}) == Words{"a", "b"});
  CHECK(words_of({"a\u2028b\x0b", "c"}, true) == Words{"a b", "c"});
  CHECK(words_of({}) == Words{});
}

}  // namespace
}  // namespace patchioner
