// The trace-captioning benchmark out of Localized Narratives (the paper's sections 4.1 and 10; spec/01
// section 10): narratives are cut into sentences, each with the points of the pointer while it was said; a
// language model, or rules, make a caption of each.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "data/narratives.hpp"

namespace patchioner {

/// A spoken sentence and where the pointer was meanwhile.
struct TraceSentence {
  std::string text;
  double start = 0;                ///< seconds
  double end = 0;                  ///< seconds; both ends belong to it
  size_t point_count = 0;          ///< before trimming
  size_t trimmed = 0;              ///< at each end: 15 % of the points, rounded down
  std::vector<TimedPoint> points;  ///< that are left
};

/// The sentences of a narrative, in order.
std::vector<TraceSentence> trace_sentences(const Narrative& narrative);

enum class SentenceFate { kept, no_points, no_reply, no_braces, empty, invalid };
/// "ok", "no points", "no reply", "no braces", "empty", "invalid".
std::string_view to_string(SentenceFate fate);

/// What a reply says: the text between the first '{' and the last '}', which must not be <INVALID>.
struct ParsedReply {
  SentenceFate fate = SentenceFate::kept;
  std::string caption;  ///< when it is kept
};
ParsedReply parse_reply(std::string_view reply);

/// Replies by sentence.
using Replies = std::map<std::string, std::string>;

/// Gathers narratives and makes the test file. [one-thread]
class TraceBenchmark {
 public:
  void add(const Narrative& narrative);

  /// The sentences that need a reply, each once, in the order in which they were said.
  const std::vector<std::string>& sentences() const { return sentences_; }

  /// Every sentence with its image's key, in the order of the images.
  void for_each_sentence(
      const std::function<void(const std::string& key, const TraceSentence& sentence)>& use) const;

  /// What becomes of a sentence.
  static ParsedReply fate_of(const TraceSentence& sentence, const Replies& replies);

  /// The test file {image: {"captions": [...], "traces": [[{x,y,t}]]}}, handed out image by image: key,
  /// value. An image keeps the place of its first narrative; without samples it is not there. `fates` counts.
  void write(const Replies& replies,
             const std::function<void(const std::string& key, const nlohmann::ordered_json& value)>& use,
             std::map<SentenceFate, size_t>& fates) const;

 private:
  struct Image {
    std::string key;
    std::vector<TraceSentence> sentences;
  };
  std::vector<Image> images_;
  std::map<std::string, size_t> index_;
  std::vector<std::string> sentences_;
  std::set<std::string> known_;
};

/// "000000139" -> "139": how the test files name COCO images. Other ids stay.
std::string benchmark_key(const std::string& image_id);

}  // namespace patchioner
