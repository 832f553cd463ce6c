// The files that byte-pair vocabularies are distributed in, read and checked: merges.txt, vocab.json,
// tokenizer.json (spec/02 section 10.1, spec/04 section 8.1). What ids follow from them is each tokenizer's
// own.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchioner {

/// Pairs of symbols of the byte alphabet, by rank.
using MergeList = std::vector<std::pair<std::string, std::string>>;

/// The bytes of a file, unpacked when it is gzip. Throws Error: io, or data when the packing is damaged.
std::string read_unpacked(const std::filesystem::path& path);

/// A JSON document. `place` begins messages. Throws an Error of kind data.
nlohmann::json parse_vocabulary_json(std::string_view text, const std::string& place);

/// The first `most` "left right" lines after a header that holds "#version". Throws an Error of kind data
/// that names the line.
MergeList read_merge_lines(std::string_view text, const std::string& place, size_t most = SIZE_MAX);

/// The merges of a tokenizer.json: "a b" or ["a", "b"]. Throws an Error of kind data.
MergeList read_merge_array(const nlohmann::json& array, const std::string& place);

/// Tokens by id, of an object from token to id. Throws an Error of kind data unless the ids of n tokens are
/// 0 to n-1, each once.
std::vector<std::string> read_token_map(const nlohmann::json& map, const std::string& place);

/// The part "model" of a tokenizer.json, or nullptr when the document is none. Throws an Error of kind data
/// when it is there without vocabulary and merges.
const nlohmann::json* byte_pair_model(const nlohmann::json& document, const std::string& place);

}  // namespace patchioner
