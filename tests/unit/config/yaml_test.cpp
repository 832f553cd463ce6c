#include <doctest/doctest.h>

#include <limits>
#include <patchioner/error.hpp>
#include <random>

#include "config/config.hpp"
#include "config/interpolation.hpp"
#include "config/scalar.hpp"
#include "support/files.hpp"

using namespace patchioner;

namespace {

std::string message_of(const std::string& yaml) {
  try {
    (void)parse_yaml(yaml, "x.yaml");
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

std::string repeated(const std::string& text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

/// A random tree of values; texts are made of characters that quoting gets wrong most easily.
Value random_value(std::mt19937& random, int depth) {
  const auto pick = [&](size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(random); };
  static const std::vector<std::string> kPieces = {"a",        " ",
                                                   ":",        "#",
                                                   "-",        "\"",
                                                   "'",        "\\",
                                                   "\n",       "\t",
                                                   "{",        "}",
                                                   "[",        "]",
                                                   ",",        "&",
                                                   "*",        "!",
                                                   "|",        ">",
                                                   "%",        "@",
                                                   "`",        "?",
                                                   "~",        "<<",
                                                   "0",        "1",
                                                   ".",        "e",
                                                   "true",     "null",
                                                   "\xC3\xA9", "\xE2\x80\xA8",
                                                   "\xC2\x85", "\xF0\x9F\x98\x80",
                                                   "$",        "=",
                                                   "/",        "_",
                                                   "\r",       "\x01",
                                                   "\x7F",     "\xEF\xBB\xBF"};
  const auto random_text = [&] {
    std::string text;
    for (size_t i = pick(7); i > 0; --i) {
      text += kPieces[pick(kPieces.size())];
    }
    return text;
  };
  switch (pick(depth > 0 ? 8 : 6)) {
    case 0:
      return {};
    case 1:
      return pick(2) == 0;
    case 2:
      return static_cast<int64_t>(random()) - static_cast<int64_t>(random());
    case 3:
      return std::ldexp(static_cast<double>(random()), static_cast<int>(pick(200)) - 100);
    case 4:
    case 5:
      return random_text();
    case 6: {
      Value::List list;
      for (size_t i = pick(5); i > 0; --i) {
        list.push_back(random_value(random, depth - 1));
      }
      return list;
    }
    default: {
      Value map = Value::Map();
      for (size_t i = pick(5); i > 0; --i) {
        map.set(random_text(), random_value(random, depth - 1));
      }
      return map;
    }
  }
}

}  // namespace

TEST_CASE("every value knows its line and column; an entry of a map stands where its key stands") {
  const Value value = parse_yaml("gap:\n  plugin: memory\n  banks: [a, b]\n", "x.yaml");
  CHECK(value.at("gap").origin().to_string() == "x.yaml:1:1");
  CHECK(value.at("gap").at("plugin").origin().to_string() == "x.yaml:2:3");
  CHECK(value.find_path("gap.banks.1")->origin().to_string() == "x.yaml:3:14");
}

TEST_CASE("a document of more than 100,000 values is refused") {
  CHECK(parse_yaml("[" + repeated("1,", 99'000) + "]", "x.yaml").as_list().size() == 99'000);
  CHECK(message_of("[" + repeated("1,", 100'001) + "]").find("the document has more than 100000 values") !=
        std::string::npos);
}

TEST_CASE("aliases count for what they repeat, so that nine lines cannot become a billion values") {
  std::string yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = fmt::format("*a{}", i - 1);
    yaml += fmt::format("a{}: &a{} [{}{}]\n", i, i, repeated(before + ", ", 9), before);
  }
  CHECK(message_of(yaml).find("more than 100000 values (aliases count for what they repeat)") !=
        std::string::npos);
}

TEST_CASE("anchors inside one another count for each of them") {
  const std::string inner = "[" + repeated("1,", 60'000) + "]";
  CHECK(parse_yaml("&a " + inner, "x.yaml").as_list().size() == 60'000);
  CHECK(message_of("[&a [&b " + inner + "]]") ==
        "x.yaml:1:2: anchors name more than 100000 values (those inside one another count again)");
}

TEST_CASE("a place counts characters, not bytes") {
  CHECK(message_of("\xC3\xA9\xC3\xA9: \xFF\n") == "x.yaml:1:5: this is no UTF-8 text");
}

TEST_CASE("a map of 90,000 keys is read, and its double is still found") {
  std::string yaml;
  for (int i = 0; i < 90'000; ++i) {
    yaml += fmt::format("k{}: 1\n", i);
  }
  CHECK(parse_yaml(yaml, "x.yaml").as_map().size() == 90'000);
  CHECK(message_of(yaml + "k17: 2\n") == "x.yaml:90001:1: the key 'k17' is there twice");
}

TEST_CASE("nesting is limited, in flow and in block style") {
  CHECK_NOTHROW((void)parse_yaml(repeated("[", 200) + repeated("]", 200), "x.yaml"));
  CHECK(message_of(repeated("[", 201) + repeated("]", 201)).find("nested deeper than 200 levels") !=
        std::string::npos);
  CHECK(message_of(repeated("[", 100'000)).find("x.yaml:1:") == 0);
  std::string block;
  for (int i = 0; i < 300; ++i) {
    block += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  }
  CHECK(message_of(block).find("nested deeper than 200 levels") != std::string::npos);
}

TEST_CASE("hostile references end with a sentence, not with the process") {
  const auto resolved = [](const std::string& yaml) {
    try {
      (void)interpolate(parse_yaml(yaml, "x.yaml"));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  CHECK(resolved("a: \"" + repeated("${", 20'000) + "b" + repeated("}", 20'000) + "\"\n")
            .find("deeper than 1000 levels") != std::string::npos);
  std::string chain;
  std::string doubling = "v0: [x, x, x, x, x, x, x, x, x, x]\n";
  std::string longer = "t0: xxxxxxxxxx\n";
  for (int i = 0; i < 300; ++i) {
    chain += fmt::format("c{}: ${{c{}}}\n", i, i + 1);
    doubling += i < 20 ? fmt::format("v{}: [\"${{v{}}}\", \"${{v{}}}\"]\n", i + 1, i, i) : "";
    longer += i < 30 ? fmt::format("t{}: ${{t{}}}${{t{}}}\n", i + 1, i, i) : "";
  }
  CHECK(resolved(chain + "c300: 1\n").find("references lead through more than 200 others") !=
        std::string::npos);
  CHECK(resolved(doubling).find("references make the document larger than 100000 values") !=
        std::string::npos);
  CHECK(resolved(longer).find("references make a text longer than 1048576 bytes") != std::string::npos);
}

TEST_CASE("a text of more than 16 megabytes is no config") {
  CHECK(message_of(std::string((16 << 20) + 1, '#')) ==
        "x.yaml:1:1: 16777217 bytes are too many for a config (at most 16777216)");
}

TEST_CASE("what is no text is refused with its place") {
  CHECK(message_of("a: \xFF\n") == "x.yaml:1:4: this is no UTF-8 text");
  CHECK(message_of("a: \xC0\x80\n").find("no UTF-8") != std::string::npos);
  CHECK(message_of("a: \xED\xA0\x80\n").find("no UTF-8") != std::string::npos);
  CHECK(message_of(std::string("\x7F"
                               "ELF\0",
                               5)) == "x.yaml:1:1: control character 0x7f; is this a YAML file?");
  CHECK(message_of(std::string("a: b\0", 5)).find("control character") != std::string::npos);
  CHECK(message_of(std::string("\xFF\xFE"
                               "a\0:\0",
                               6))
            .find("no UTF-8") != std::string::npos);
}

TEST_CASE("a byte order mark and Windows line ends are read over") {
  CHECK(parse_yaml("\xEF\xBB\xBF"
                   "a: 1\r\nb: x\r\n",
                   "x.yaml") == Value(Value::Map{{"a", 1}, {"b", "x"}}));
}

TEST_CASE("every file that is cut off at any byte is read or refused with a place, never anything else") {
  const std::string yaml =
      "gap: &g {plugin: \"me\\x41mory\", banks: [a, 'b c', *x], t: 1e-3}\nvariables:\n  - |\n    text\n  - ? "
      "k\n    : !!str v\n";
  for (size_t size = 0; size <= yaml.size(); ++size) {
    const std::string message = message_of(yaml.substr(0, size));
    CHECK_MESSAGE((message == "nothing was thrown" || message.starts_with("x.yaml:")), message);
  }
}

TEST_CASE("numbers are written as short as they can be read back, and stay numbers") {
  CHECK(format_number(0.01) == "0.01");
  CHECK(format_number(1.0) == "1.0");
  CHECK(format_number(0.1 + 0.2) == "0.30000000000000004");
  CHECK(format_number(1e300) == "1e+300");
  CHECK(format_number(-0.0) == "-0.0");
  CHECK(format_number(-std::numeric_limits<double>::infinity()) == "-.inf");
  CHECK(format_number(std::numeric_limits<double>::quiet_NaN()) == ".nan");
}

TEST_CASE("any value that is written as YAML is read back equal") {
  std::mt19937 random(20240607);
  for (int i = 0; i < 3000; ++i) {
    const Value value = random_value(random, 4);
    const std::string yaml = write_yaml(value);
    Value again;
    REQUIRE_NOTHROW_MESSAGE(again = parse_yaml(yaml, "written"), yaml);
    REQUIRE_MESSAGE(again == value, yaml);
    REQUIRE_NOTHROW_MESSAGE(again = parse_yaml(write_yaml(value, true), "written"), yaml);
    REQUIRE_MESSAGE(again == value, write_yaml(value, true));
  }
}

TEST_CASE("a text that looks like a number is written in quotes, however large the number would be") {
  for (const char* text : {"12", "1e999", "99999999999999999999", "-1E+400"}) {
    const Value value(Value::List{Value(std::string(text))});
    CHECK(parse_yaml(write_yaml(value), "written") == value);
  }
}

TEST_CASE("origins are written as comments") {
  const Value value = parse_yaml("gap: {plugin: memory}\nvariables: [1, 2]\n", "x.yaml");
  CHECK(write_yaml(value, true) ==
        "gap:\n  plugin: memory                                # x.yaml:1\nvariables: [1, 2]                 "
        "              # x.yaml:2\n");
}

TEST_CASE("values are written as JSON with the keys in order") {
  CHECK(write_json(parse_yaml("{b: 1, a: [0.5, null, true, x]}", "x"), -1) ==
        R"({"b":1,"a":[0.5,null,true,"x"]})");
}

TEST_CASE("a file that cannot be opened is told by its name") {
  try {
    (void)read_yaml("/nowhere/x.yaml");
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::config);
    CHECK(std::string(error.what()).find("/nowhere/x.yaml") != std::string::npos);
  }
}
