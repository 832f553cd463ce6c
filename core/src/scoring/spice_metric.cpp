#include "scoring/spice_metric.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>
#include <patchioner/error.hpp>

#include "entities/shipped_lexicon.hpp"
#include "scoring/spice_java.hpp"
#include "scoring/spice_rule_tuples.hpp"
#include "scoring/spice_tuple_file.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

constexpr const char* kRulesNote =
    "SPICE(rules) reads captions by rules and a lexicon, not by SPICE's parser: its values compare only with "
    "each other";

/// Synonyms, or an empty table and what is missing.
class Synonyms {
 public:
  explicit Synonyms(const MeteorDataOptions& options) {
    if (options.data.empty() && options.fallback == MeteorFallback::none) {
      missing_ = "no data of METEOR is named";
      return;
    }
    data_ = MeteorData::open(options);
    if (data_->synonyms() == nullptr) {
      missing_ = options.data.empty() ? fmt::format("no WordNet in {}; Debian's package is wordnet-base",
                                                    options.wordnet.string())
                                      : fmt::format("{} has none", options.data.string());
    }
  }

  const SynonymTable& table() const { return missing_.empty() ? *data_->synonyms() : empty_; }

  /// A sentence when synonyms are missing, or nothing.
  std::string note() const {
    return missing_.empty()
               ? missing_
               : fmt::format("SPICE compares words as they are, without synonyms ({})", missing_);
  }

 private:
  std::optional<MeteorData> data_;
  SynonymTable empty_;
  std::string missing_;
};

std::vector<SpiceItem> items_by_rules(std::span<const ScoredCaption> captions,
                                      std::span<const Segment> words) {
  const SpiceRuleParser parser(SceneGraphLexicon::read(shipped_lexicon()));
  std::vector<SpiceItem> items;
  items.reserve(captions.size());
  for (size_t i = 0; i < captions.size(); ++i) {
    SpiceItem item{captions[i].id, parser.tuples(words[i].candidate), {}};
    for (const std::string& reference : words[i].references) {
      for (SpiceTuple& tuple : parser.tuples(reference)) {
        item.references.push_back(std::move(tuple));
      }
    }
    items.push_back(std::move(item));
  }
  return items;
}

std::vector<SpiceValues> values_of(std::span<const SpiceItem> items, const SynonymTable& synonyms) {
  std::vector<SpiceValues> values;
  values.reserve(items.size());
  for (const SpiceItem& item : items) {
    const SpiceResult result = spice_score(item, synonyms);
    SpiceValues& of_item = values.emplace_back();
    for (size_t i = 0; i < of_item.size(); ++i) {
      of_item[i] = result.scores[i].f;
    }
  }
  return values;
}

/// One category of all items; its mean is over those that have a value, as in SPICE.
CaptionScores scores_of(std::span<const SpiceValues> values, size_t category, std::string name,
                        const std::string& note) {
  CaptionScores scores{std::move(name), {}, note};
  double sum = 0;
  size_t count = 0;
  for (const SpiceValues& of_item : values) {
    const double value = of_item[category];
    scores.scores.segments.push_back(value);
    if (!std::isnan(value)) {
      sum += value;
      ++count;
    }
  }
  scores.scores.corpus =
      count > 0 ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
  return scores;
}

SpiceScores gathered(std::span<const SpiceValues> values, const std::string& metric,
                     const std::string& note) {
  SpiceScores scores{scores_of(values, 0, metric, note), {}};
  for (size_t i = 1; i < kSpiceCategories.size(); ++i) {
    scores.categories.push_back(scores_of(values, i, kSpiceCategories[i], {}));
  }
  return scores;
}

void need_file(const std::filesystem::path& path, const char* key, const char* backend) {
  if (path.empty()) {
    throw Error(ErrorKind::config,
                "spice: {} needs {}, which is not set; name the file, or take spice: rules", backend, key);
  }
}

void need_jar(const SpiceOptions& options) {
  need_file(options.jar, "score.spice_jar (--spice-jar)", "java");
}

void need_tuples(const SpiceOptions& options) {
  need_file(options.tuples, "score.spice_tuples (--spice-tuples)", "tuples");
}

}  // namespace

SpiceBackend spice_backend_from(std::string_view word) {
  if (word == "rules") {
    return SpiceBackend::rules;
  }
  if (word == "tuples") {
    return SpiceBackend::tuples;
  }
  if (word == "java") {
    return SpiceBackend::java;
  }
  throw Error(ErrorKind::usage, "there is no SPICE from '{}'{}", word,
              suggestion(word, {"rules", "tuples", "java"}));
}

SpiceScores spice_scores(std::span<const ScoredCaption> captions, std::span<const Segment> words,
                         const SpiceOptions& options) {
  if (captions.empty()) {
    throw Error(ErrorKind::data, "there are no captions to score");
  }
  if (options.backend == SpiceBackend::java) {
    need_jar(options);
    return gathered(run_spice(captions, words, options.jar), "SPICE", {});
  }
  const Synonyms synonyms(options.synonyms);
  if (options.backend == SpiceBackend::tuples) {
    need_tuples(options);
    return gathered(values_of(read_spice_tuples(options.tuples, captions), synonyms.table()), "SPICE(tuples)",
                    synonyms.note());
  }
  const std::string missing = synonyms.note();
  return gathered(values_of(items_by_rules(captions, words), synonyms.table()), "SPICE(rules)",
                  kRulesNote + (missing.empty() ? missing : "; " + missing));
}

void check_spice(const SpiceOptions& options) {
  if (options.backend == SpiceBackend::java) {
    need_jar(options);
    check_spice_java(options.jar);
    return;
  }
  const Synonyms synonyms(options.synonyms);
  if (options.backend == SpiceBackend::tuples) {
    need_tuples(options);
    read_spice_tuples(options.tuples, {});
  }
}

}  // namespace patchioner
