// Captions to the words that BLEU, ROUGE-L, CIDEr, SPICE and mostly METEOR count (spec/05 section 2.1).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "metrics/ptb_lexer.hpp"

namespace patchioner {

struct CaptionTokenizerOptions {
  /// A line end other than "\n" inside a caption makes the reference tools move all later captions of the
  /// batch by one line. True: it is read as a space, as "\n" is.
  bool sanitize_line_breaks = false;
};

/// The reference's wrapper around its tokenizer. [any-thread, one at a time]
class CaptionTokenizer {
 public:
  explicit CaptionTokenizer(CaptionTokenizerOptions options = {}) : options_(options) {}

  /// Each caption as words between single spaces, without punctuation. All captions are one text, so that a
  /// caption can look into the next one: an abbreviation at the end of one keeps its dot or not by how the
  /// next one begins. Where a caption holds a line end other than "\n" (sanitize_line_breaks: false), all
  /// later ones get the words of the one before them; the result is shorter than `captions` when the lines
  /// run out.
  std::vector<std::string> tokenize(std::span<const std::string> captions) const;

 private:
  CaptionTokenizerOptions options_;
  PtbLexer lexer_;
};

/// Words of a line of tokens that are kept: all but punctuation, joined by one space.
std::string without_punctuation(std::string_view line);

}  // namespace patchioner
