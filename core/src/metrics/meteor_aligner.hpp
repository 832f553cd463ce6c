// METEOR's alignment of a hypothesis with a reference (spec/05 sections 4.4 and 4.5).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "metrics/meteor_words.hpp"
#include "metrics/paraphrase_table.hpp"

namespace patchioner {

/// How two phrases match, best first.
enum class MeteorModule : uint8_t { exact, stem, synonym, paraphrase };
inline constexpr size_t kMeteorModules = 4;

/// Words [start, start + length) of the reference stand for [hypothesis_start, + hypothesis_length).
struct MeteorMatch {
  uint16_t start = 0;
  uint16_t length = 0;
  uint16_t hypothesis_start = 0;
  uint16_t hypothesis_length = 0;
  MeteorModule module = MeteorModule::exact;

  bool operator==(const MeteorMatch&) const = default;
};

struct MeteorAlignment {
  std::vector<MeteorMatch> matches;  ///< in the order of the reference
  uint32_t chunks = 0;               ///< runs of matches that are adjacent on both sides
};

/// The reference's beam search, with what looks like its mistakes: weights are cut to whole numbers at every
/// step, so that single stems, synonyms and paraphrases count nothing while it searches; and the distance of
/// a match is charged to its siblings. Scores depend on both. [one-thread]
class MeteorAligner {
 public:
  /// Both must outlive it.
  MeteorAligner(const MeteorWords& words, const ParaphraseTable& paraphrases)
      : words_(words), paraphrases_(paraphrases) {}

  /// Texts have at most 65,535 words; throws Error of kind data for a longer one.
  MeteorAlignment align(std::span<const uint32_t> hypothesis, std::span<const uint32_t> reference);

 private:
  using Text = std::span<const uint32_t>;
  void find_matches(Text hypothesis, Text reference);
  void find_paraphrases(Text hypothesis, Text reference);
  void add(const MeteorMatch& match);
  MeteorAlignment search(size_t hypothesis_words, size_t reference_words);

  const MeteorWords& words_;
  const ParaphraseTable& paraphrases_;
  // Working memory of one alignment.
  std::vector<std::vector<MeteorMatch>> candidates_;  ///< by where they start in the reference
  std::vector<uint32_t> hypothesis_coverage_;         ///< matches over each word
  std::vector<uint32_t> reference_coverage_;
};

}  // namespace patchioner
