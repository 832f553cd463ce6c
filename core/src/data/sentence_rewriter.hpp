// The step of the trace benchmark that turns spoken sentences into captions: one interface, three ways.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "data/trace_benchmark.hpp"

namespace patchioner {

/// [one-thread]
class SentenceRewriter {
 public:
  virtual ~SentenceRewriter() = default;

  /// Replies as a language model gives them: "{caption}" or "{<INVALID>}". May be fewer than there are
  /// sentences after an interrupt, or where a source has none for a sentence. Throws Error as the source
  /// says.
  virtual Replies rewrite(std::span<const std::string> sentences) = 0;
};

/// Rules for English (narrator_rules.hpp).
std::unique_ptr<SentenceRewriter> rule_rewriter();

/// Replies of a file: an object {sentence: reply}, or JSON lines of {"sentence", "reply"}. Throws an Error of
/// kind data with the place for anything else.
std::unique_ptr<SentenceRewriter> reply_file_rewriter(const std::filesystem::path& file);

/// The prompt for a sentence: the template with the sentence for its "<INPUT CAPTION>". Throws an Error of
/// kind data when the template has no such place.
std::string prompt_for(const std::string& prompt_template, const std::string& sentence);

}  // namespace patchioner
