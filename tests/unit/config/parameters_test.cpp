#include <doctest/doctest.h>

#include <limits>
#include <patchioner/error.hpp>
#include <patchioner/parameters.hpp>

#include "config/config.hpp"
#include "refusals.hpp"

using namespace patchioner;

namespace {

struct Options {
  bool normalize = true;
  int64_t rows = 3;
  double temperature = 0.01;
  std::string rule = "reference";
  std::string weights;
  std::vector<std::string> names = {"a", "b"};
  Value map_heads = "reference";
  double limit = std::numeric_limits<double>::infinity();
};

void declare(ParameterList<Options>& list) {
  list.add("normalize", &Options::normalize, "unit length");
  list.add("rows", &Options::rows, "how many").range(0, 10);
  list.add("temperature", &Options::temperature, "of the softmax").range(1e-6);
  list.add("rule", &Options::rule, "which").choices({"reference", "intersect"});
  list.add("weights", &Options::weights, "a checkpoint").required().path();
  list.add("names", &Options::names, "texts");
  list.add("map_heads", &Options::map_heads, "reference, model or a number");
  list.add("limit", &Options::limit, "none by default");
}

Options read(const std::string& yaml) {
  return read_options<Options>(parse_yaml(yaml, "x.yaml"), "gap");
}

std::string message_of(const std::string& yaml) {
  return refusal_of(ErrorKind::config, [&] { (void)read(yaml); });
}

}  // namespace

TEST_CASE("the struct is filled from the map, and keeps its defaults elsewhere") {
  const Options options =
      read("{weights: a.pt, rows: 7, temperature: 1, names: [x], map_heads: 12, normalize: null}");
  CHECK(options.weights == "a.pt");
  CHECK(options.rows == 7);
  CHECK(options.temperature == 1.0);
  CHECK(options.names == std::vector<std::string>{"x"});
  CHECK(options.map_heads == Value(12));
  CHECK(options.normalize);
  CHECK(options.rule == "reference");
  CHECK(std::isinf(options.limit));
}

TEST_CASE("a validated map has every parameter in the order of the declaration") {
  const Value value = validate(schema_of<Options>(), parse_yaml("{rows: 1, weights: a}", "x"), "gap");
  std::vector<std::string> keys;
  for (const auto& [key, entry] : value.as_map()) {
    keys.push_back(key);
  }
  CHECK(keys == std::vector<std::string>{"normalize", "rows", "temperature", "rule", "weights", "names",
                                         "map_heads", "limit"});
}

TEST_CASE("a wrong option is told with its place, what was found and what is allowed") {
  CHECK(message_of("weights: a\ntemprature: 1\n") ==
        "x.yaml:2:1: unknown key 'gap.temprature'; did you mean 'temperature'?");
  CHECK(message_of("weights: a\nzzz: 1\n").find("unknown key 'gap.zzz'; known are: ") != std::string::npos);
  CHECK(message_of("weights: a\nrows: 1.5\n") ==
        "x.yaml:2:1: 'gap.rows' must be an integer, found the number 1.5; write it without a decimal point "
        "or exponent");
  CHECK(message_of("weights: a\nrows: 11\n") == "x.yaml:2:1: 'gap.rows' must be between 0 and 10, found 11");
  CHECK(message_of("weights: a\ntemperature: 0\n") ==
        "x.yaml:2:1: 'gap.temperature' must be at least 1e-06, found 0");
  CHECK(message_of("weights: a\ntemperature: .nan\n") ==
        "x.yaml:2:1: 'gap.temperature' must be at least 1e-06, found .nan");
  CHECK(message_of("weights: a\nrule: intersects\n") ==
        "x.yaml:2:1: 'gap.rule' must be one of reference, intersect; found 'intersects'; did you mean "
        "'intersect'?");
  CHECK(message_of("rows: 1\n") == "x.yaml:1:1: 'gap.weights' is required (path: a checkpoint)");
  CHECK(message_of("weights:\n") == "x.yaml:1:1: 'gap.weights' is required (path: a checkpoint)");
  CHECK(message_of("[1]") == "x.yaml:1:1: 'gap' must be a map of options, found a list");
}

TEST_CASE("the mistakes that YAML invites get a hint") {
  CHECK(
      message_of("weights: a\nnormalize: yes\n") ==
      "x.yaml:2:1: 'gap.normalize' must be true or false, found the text 'yes'; write true, without quotes");
  CHECK(message_of("weights: a\nnormalize: Off\n").ends_with("; write false, without quotes"));
  CHECK(message_of("weights: a\nnormalize: 1\n") ==
        "x.yaml:2:1: 'gap.normalize' must be true or false, found the integer 1");
  CHECK(message_of("weights: a\nrows: '3'\n").ends_with("found the text '3'; write it without quotes"));
  CHECK(message_of("weights: a\nrows: 0x3\n")
            .ends_with("; numbers are decimal, without leading zeros, separators or units"));
  CHECK(message_of("weights: 12\n") ==
        "x.yaml:1:1: 'gap.weights' must be a path (text), found the integer 12; put it in quotes if this "
        "text is meant");
  CHECK(message_of("weights: a\nnames: x\n") ==
        "x.yaml:2:1: 'gap.names' must be a list of texts, found the text 'x'; write [x]");
  CHECK(message_of("weights: a\nnames: [x, 1]\n") ==
        "x.yaml:2:1: 'gap.names' must be a list of texts, found a list");
}

TEST_CASE("a schema survives its way through JSON") {
  const ParameterSchema schema = schema_of<Options>();
  const ParameterSchema again = schema_from_json(schema_to_json(schema));
  REQUIRE(again.size() == schema.size());
  for (size_t i = 0; i < schema.size(); ++i) {
    CHECK(again[i].name == schema[i].name);
    CHECK(again[i].type == schema[i].type);
    CHECK(again[i].default_value == schema[i].default_value);
    CHECK(again[i].required == schema[i].required);
    CHECK(again[i].minimum == schema[i].minimum);
    CHECK(again[i].maximum == schema[i].maximum);
    CHECK(again[i].choices == schema[i].choices);
    CHECK(again[i].help == schema[i].help);
  }
}

TEST_CASE("a schema that is none is refused") {
  CHECK_THROWS_AS((void)schema_from_json("{"), Error);
  CHECK_THROWS_AS((void)schema_from_json("[{\"name\": 3}]"), Error);
  CHECK_THROWS_AS((void)schema_from_json(R"([{"name": "a", "type": "colour", "default": 1, "help": ""}])"),
                  Error);
}
