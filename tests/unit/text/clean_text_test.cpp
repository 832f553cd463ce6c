// Cleaning alone. Expected texts are what ftfy 6.3.1, html.unescape and str.lower of Python 3.11 give, in the
// order of CLIP's tokenizer (spec/02 section 10.3).
#include "text/clean_text.hpp"

#include <doctest/doctest.h>

#include "support/utf8.hpp"
#include "text/mojibake.hpp"
#include "text/unicode.hpp"

namespace patchioner {
namespace {

std::string full(std::string_view text) {
  return clean_text(text, TextClean::full);
}

TEST_CASE("white space is collapsed and trimmed, letters become small") {
  CHECK(full("  Two   DOGS\tplaying\n") == "two dogs playing");
  CHECK(full("x\u00a0\u3000 y\x1c") == "x y");
  CHECK(full("") == "");
  CHECK(full(" \n ") == "");
}

TEST_CASE("character references are resolved twice") {
  CHECK(full("&amp;amp;lt;") == "<");
  CHECK(full("&notit; &EACUTE; &Eacute &#128; &#xD800; &#1; &#x110000;") == "¬it; é é € \ufffd \ufffd");
  CHECK(full("&#x41; &#X42 &#67;D &#; &unknown; & &&") == "a b cd &#; &unknown; & &&");
  CHECK(full("&#99999999999999999999;") == "\ufffd");
  CHECK(full("L&AMP;AMP;ATILDE;&AMP;AMP;SUP3;PEZ") == "lópez");
}

TEST_CASE("a text with markup keeps its references until the markup is resolved") {
  CHECK(full("<b>&lt;i&gt;</b>") == "<b><i></b>");
}

TEST_CASE("text that was read with the wrong character set is repaired") {
  CHECK(full("MÃ¼nchen") == "münchen");
  CHECK(full("schÃ¶n â€” â€œgutâ€\u009d") == "schön — \"gut\"");
  CHECK(full("ï¬\u0081sh") == "fish");
  CHECK(full("ÃƒÂ©") == "é");
  CHECK(full("ÐŸÑ€Ð¸Ð²ÐµÑ‚") == "привет");
  CHECK(full("ðŸ˜€ smile") == "😀 smile");
  CHECK(full("voilÃ  le") == "voilà le");
  CHECK(full("CÃ ") == "cã");
  CHECK(full("only 5 â\u0082¬") == "only 5 €");
  CHECK(full("\u0093quoted\u0094") == "\"quoted\"");
  CHECK(clean_text("MÃ¼nchen", TextClean::basic) == "mã¼nchen");
}

TEST_CASE("good text in any language is left alone") {
  for (const char* text : {"café au lait", "naïve – “quoted”", "größe", "日本語", "привет мир",
                           "ça va à paris", "5 € £4", "ÄÖÜ"}) {
    CHECK(!looks_broken(decode_utf8(text)));
    CHECK(repair_mojibake(decode_utf8(text)) == decode_utf8(text));
  }
}

TEST_CASE("quotes are straightened, widths and ligatures made ordinary, controls taken out") {
  CHECK(full("“q” ‘r’ ʼ") == "\"q\" 'r' '");
  CHECK(full("ＬＯＵＤ　ＮＯＩＳＥＳ") == "loud noises");
  CHECK(full("ﬁnal ﬂight Ĳ") == "final flight ij");
  CHECK(full("\x1b[36;44mcold\x1b[m") == "cold");
  CHECK(full("\ufeffx\u200by\x7f") == "x\u200by");
  CHECK(full("a\u2028b\u0085c\r\nd") == "a b…c d");
  CHECK(clean_text("“q”", TextClean::none) == "“q”");
}

TEST_CASE("lower case knows the final sigma and the dotted I") {
  CHECK(full("ΟΔΥΣΣΕΥΣ ΑΣ. Σ") == "οδυσσευς ας. σ");
  CHECK(full("İI") == "i\u0307i");
}

TEST_CASE("characters are composed") {
  CHECK(full("cafe\u0301") == "café");
  CHECK(full("Å\u0323") == "\u1ea1\u030a");
  CHECK(full("q\u0307\u0323") == "q\u0323\u0307");
  CHECK(full("\u1100\u1161\u11a8 \uac00\u11a8") == "각 각");
  CHECK(full("\u212b \u2126 \u0344") == "å ω \u0308\u0301");
  // The Unicode Standard Annex 15, figure 5 and table 10: a class already seen blocks.
  CHECK(compose_canonically(U"\u1e0a\u0323") == U"\u1e0c\u0307");
  CHECK(compose_canonically(U"a\u0300\u0301") == U"\u00e0\u0301");
  CHECK(compose_canonically(U"\u0958") == U"\u0915\u093c");
}

TEST_CASE("ill-formed UTF-8 gives one replacement character for each maximal part") {
  // The Unicode Standard, tables 3-8 to 3-11.
  const std::u32string r = U"\ufffd";
  CHECK(decode_utf8("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41") == r + r + r + r + r + r + r + r + U"A");
  CHECK(decode_utf8("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41") == r + r + r + r + r + r + r + r + U"A");
  CHECK(decode_utf8("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42") == r + r + r + r + r + U"A" + r + r + U"B");
  CHECK(decode_utf8("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41") == r + r + r + r + U"A");
}

TEST_CASE("letters and numbers are those of Unicode 16") {
  CHECK(is_letter(U'ж'));
  CHECK(is_letter(0x105c0));  // Todhri, new in 16.0
  CHECK(!is_letter(U'_'));
  CHECK(!is_letter(0x301));
  CHECK(is_number(U'½'));
  CHECK(is_number(0x16d70));  // new in 16.0
  CHECK(!is_word_character(0x105c0));
  CHECK(is_word_character(U'_'));
}

TEST_CASE("hostile text is cleaned in reasonable time") {
  std::string sigmas;
  std::string marks = "a";
  std::string broken;
  for (int count = 0; count < 20000; ++count) {
    sigmas += "Σ'";
    marks += count % 2 == 0 ? "\u0301" : "\u0323";
    broken += "Ã¼&#";
  }
  CHECK(full(sigmas).size() == sigmas.size());
  CHECK(full(marks).size() > 1000);
  CHECK(full(broken).size() == 20000 * 4);
}

}  // namespace
}  // namespace patchioner
