// The texts that memory banks and trainings are made of: caption files of any size, read as a stream.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace patchioner {

enum class TextFormat {
  automatic,  ///< told by content
  json,  ///< COCO captions ({"annotations": [{"caption": ...}]}), or an array of strings or of objects with
         ///< "caption" or "text"
  json_lines,  ///< one string, or one object with "caption" or "text", a line
  tsv,         ///< tab-separated columns, the text is the second one (MS MARCO's queries)
  lines,       ///< one text a line; empty lines are passed over
};

/// "auto", "json", "jsonl", "tsv", "text". Throws an Error of kind usage for any other word.
TextFormat text_format_from(std::string_view word);

struct SourceText {
  std::string text;
  std::string image_id;  ///< the entry's "image_id", a number as its digits; empty where it has none
  std::optional<std::vector<std::string>> entities;  ///< the entry's "entities"; nothing where it has none
};

/// Gives every text of the file in order; `visit` returns false to stop. Ill-formed UTF-8 in plain lines is
/// replaced, with one warning that names the first such line. `name` stands for the file in messages. Throws
/// Error: io, or data with the place when the file is damaged, an entry holds no text, or there is none at
/// all.
void visit_texts(const std::filesystem::path& path, TextFormat format,
                 const std::function<bool(SourceText text)>& visit, const std::string& name);

}  // namespace patchioner
