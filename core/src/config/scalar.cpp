#include "config/scalar.hpp"

#include <charconv>
#include <limits>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

size_t count_digits(std::string_view text, size_t from) {
  size_t count = 0;
  while (from + count < text.size() && is_digit(text[from + count])) {
    ++count;
  }
  return count;
}

/// Where the scalar stands in the grammar [-+]? ( \.[0-9]+ | [0-9]+ (\.[0-9]*)? ) ([eE][-+]?[0-9]+)?
enum class Shape { text, integer, number };

Shape shape_of(std::string_view text) {
  size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const size_t whole = count_digits(text, at);
  if (whole > 1 && text[at] == '0') {
    return Shape::text;  // 010 is 8 to YAML 1.1 and 10 to YAML 1.2, so it is neither here
  }
  at += whole;
  if (at == text.size()) {
    return whole > 0 ? Shape::integer : Shape::text;
  }
  size_t fraction = 0;
  if (text[at] == '.') {
    fraction = count_digits(text, at + 1);
    at += 1 + fraction;
  }
  if (whole == 0 && fraction == 0) {
    return Shape::text;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) {
      ++at;
    }
    const size_t exponent = count_digits(text, at);
    if (exponent == 0) {
      return Shape::text;
    }
    at += exponent;
  }
  return at == text.size() ? Shape::number : Shape::text;
}

template <class Number>
Number read_number(std::string_view text, const Origin& origin, std::string_view what) {
  const std::string_view digits = text[0] == '+' ? text.substr(1) : text;
  Number number{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    throw Error(ErrorKind::config, "{}: the number {} does not fit {}; put it in quotes if text is meant",
                origin.to_string(), text, what);
  }
  return number;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

Value plain_value(std::string_view text, const Origin& origin) {
  if (text.empty() || is_one_of(text, {"~", "null", "Null", "NULL"})) {
    return {};
  }
  if (text == "true" || text == "false") {
    return text == "true";
  }
  if (is_one_of(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) {
    return std::numeric_limits<double>::infinity();
  }
  if (is_one_of(text, {"-.inf", "-.Inf", "-.INF"})) {
    return -std::numeric_limits<double>::infinity();
  }
  if (is_one_of(text, {".nan", ".NaN", ".NAN"})) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  switch (shape_of(text)) {
    case Shape::integer:
      return read_number<int64_t>(text, origin, "64 bits");
    case Shape::number:
      return read_number<double>(text, origin, "a double");
    case Shape::text:
      break;
  }
  return std::string(text);
}

}  // namespace

Value parse_plain_scalar(std::string_view text, const Origin& origin) {
  Value value = plain_value(text, origin);
  value.set_origin(origin);
  return value;
}

bool is_plain_text(std::string_view text) {
  return shape_of(text) == Shape::text && plain_value(text, {}).is_text();
}

std::string format_number(double number) {
  if (std::isnan(number)) {
    return ".nan";
  }
  if (std::isinf(number)) {
    return number > 0 ? ".inf" : "-.inf";
  }
  char buffer[64];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), number);
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) {
    text += ".0";  // "1" would be read back as an integer
  }
  return text;
}

}  // namespace patchioner
