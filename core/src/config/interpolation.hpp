// ${path.to.key} and ${env:NAME,default} in the texts of a document.
#pragma once

#include <patchioner/value.hpp>

namespace patchioner {

/// The document with every reference replaced. A text that is nothing but one reference becomes a copy of
/// what it names, with its type (a map too) and its origin; inside a longer text, scalars are inserted,
/// environment variables letter by letter. The origin of what a set environment variable says, and of a text
/// that begins with it, is "environment variable NAME". `\${` is a literal `${`. Throws an Error of kind
/// config: no such key (with the nearest), an environment variable that is not set and has no default, a
/// circle (shown), more than 100,000 values or a text over a megabyte as the result, a map or list inside a
/// text.
Value interpolate(const Value& document);

/// Puts a backslash in front of every `${`, so that a resolved document can be read again.
Value escape_interpolation(Value value);

}  // namespace patchioner
