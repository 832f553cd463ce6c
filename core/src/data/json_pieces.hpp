// JSON documents of any size, taken apart into pieces that are parsed one at a time: an annotation file of
// gigabytes never becomes one tree, each piece can be found again by its place, and damage is told by its
// byte.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace patchioner {

/// A value as it stands in a document, not yet parsed.
struct JsonPiece {
  std::string key;        ///< of a member of an object; empty in a list
  size_t number = 0;      ///< its place in the list or object, from 0
  std::string_view text;  ///< a part of the document
  uint64_t begin = 0;     ///< its first byte in the file

  /// The first character that is no white space: '{' for an object, '[' for a list.
  char kind() const { return text.empty() ? '\0' : text.front(); }
  uint64_t end() const { return begin + text.size(); }
};

/// The document as one piece, without white space and byte order mark at its ends. Throws an Error of kind
/// data when nothing is there.
JsonPiece whole_document(std::string_view content, const std::string& file);

/// Gives every member of an object or entry of a list, in order; `visit` returns false to stop. Values are
/// looked at only as far as their brackets and texts go. Throws an Error of kind data with the byte when the
/// document is damaged or cut, or when `piece` is neither.
void visit_members(const JsonPiece& piece, const std::string& file,
                   const std::function<bool(const JsonPiece& member)>& visit);

/// The piece as a tree, the order of its keys kept. Throws an Error of kind data with the byte in the file.
nlohmann::ordered_json parse_piece(const JsonPiece& piece, const std::string& file);

}  // namespace patchioner
