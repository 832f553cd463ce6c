// What an unquoted scalar means, and how numbers are written: YAML 1.2's core schema, less everything that
// surprises.
#pragma once

#include <patchioner/value.hpp>
#include <string>
#include <string_view>

namespace patchioner {

/// null (`null`, `~`, nothing), `true`, `false`, decimal integers without leading zeros, decimal numbers,
/// `.inf`, `.nan`; everything else is text. Throws an Error of kind config for a number that does not fit
/// (int64, double), with the origin in front.
Value parse_plain_scalar(std::string_view text, const Origin& origin);

/// Whether an unquoted scalar is text, and no number either that does not fit.
bool is_plain_text(std::string_view text);

/// The shortest text that reads back as the same number, always recognisable as a number and not an integer
/// ("0.01", "1.0", ".inf").
std::string format_number(double number);

}  // namespace patchioner
