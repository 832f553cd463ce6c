// Golden cases of METEOR's parts, and of SPICE, which looks words up in METEOR's data.
#include <fmt/ranges.h>

#include "metrics/meteor.hpp"
#include "metrics/spice.hpp"
#include "verify/case_json.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;
using Strings = std::vector<std::string>;

Json as_json(const std::vector<MeteorMatch>& matches) {
  Json rows = Json::array();
  for (const MeteorMatch& match : matches) {
    rows.push_back({match.start, match.length, match.hypothesis_start, match.hypothesis_length,
                    static_cast<int>(match.module)});
  }
  return rows;
}

std::vector<SpiceTuple> tuples_of(const Json& json) {
  return json.get<std::vector<SpiceTuple>>();
}

/// A merged concept's words in an order that does not depend on anything.
std::string sorted_words(const std::string& concept_text) {
  std::set<std::string> words;
  for (size_t begin = 0; begin <= concept_text.size();) {
    const size_t end = std::min(concept_text.find('/', begin), concept_text.size());
    words.insert(concept_text.substr(begin, end - begin));
    begin = end + 1;
  }
  std::string text;
  for (const std::string& word : words) {
    text += word + "/";
  }
  return text;
}

/// Tuples as texts, sorted: their order is the reference's hash tables'.
std::vector<std::string> sorted_tuples(const Json& tuples) {
  std::vector<std::string> result;
  for (const auto& tuple : tuples) {
    std::string text;
    for (const auto& part : tuple.at("tuple")) {
      text += sorted_words(part.get<std::string>()) + " | ";
    }
    result.push_back(text + (tuple.at("matched").get<bool>() ? "matched" : "alone"));
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<std::string> sorted_tuples(const std::vector<SpiceGraphTuple>& tuples) {
  Json json = Json::array();
  for (const SpiceGraphTuple& tuple : tuples) {
    json.push_back({{"tuple", tuple.parts}, {"matched", tuple.is_matched}});
  }
  return sorted_tuples(json);
}

void compare_spice(CaseReport& report, const std::string& id, const SpiceResult& ours, const Json& expected) {
  for (size_t i = 0; i < kSpiceCategories.size(); ++i) {
    const std::string name = id + "." + kSpiceCategories[i];
    const Json& wanted = expected.at("scores").at(kSpiceCategories[i]);
    const SpiceScore& score = ours.scores[i];
    report.compare_number(name + ".pr", score.precision, number_or_nan(wanted.at("pr")));
    report.compare_number(name + ".re", score.recall, number_or_nan(wanted.at("re")));
    report.compare_number(name + ".f", score.f, number_or_nan(wanted.at("f")));
    report.require(name + " counts", score.true_positives == wanted.at("tp").get<int64_t>() &&
                                         score.false_positives == wanted.at("fp").get<int64_t>() &&
                                         score.false_negatives == wanted.at("fn").get<int64_t>());
  }
  report.require(id + ".test_tuples",
                 sorted_tuples(ours.candidate) == sorted_tuples(expected.at("test_tuples")));
  report.require(id + ".ref_tuples",
                 sorted_tuples(ours.references) == sorted_tuples(expected.at("ref_tuples")));
}

}  // namespace

void verify_meteor_pairs(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const MeteorData data = meteor_data_of(golden);
  const Json expected = expected_json(golden);
  require_promised_tensors(golden, report);
  std::vector<Segment> segments;
  for (const auto& pair : case_json(golden, "pairs.json")) {
    segments.push_back({pair.at(0).get<std::string>(), {pair.at(1).get<std::string>()}});
  }
  report.require("a result a pair", segments.size() == expected.size());
  const MeteorResult result = meteor_scores(segments, data);
  std::vector<double> scores;
  std::vector<double> statistics;
  for (size_t i = 0; i < std::min(segments.size(), expected.size()); ++i) {
    const std::string name = fmt::format("pair[{}].", i);
    const Json& wanted = expected[i];
    const MeteorResult::Item& item = result.items[i];
    report.require(name + "hyp_tokens", meteor_words_of(segments[i].candidate, data.prefixes()) ==
                                            wanted.at("hyp_tokens").get<Strings>());
    report.require(name + "ref_tokens", meteor_words_of(segments[i].references[0], data.prefixes()) ==
                                            wanted.at("ref_tokens").get<Strings>());
    report.require(name + "matches", as_json(item.alignment.matches) == wanted.at("matches"));
    report.compare_number(name + "precision", item.score.precision, number_or_nan(wanted.at("precision")),
                          "score");
    report.compare_number(name + "recall", item.score.recall, number_or_nan(wanted.at("recall")), "score");
    report.compare_number(name + "penalty", item.score.penalty, number_or_nan(wanted.at("penalty")), "score");
    report.compare_number(name + "score", item.score.score, number_or_nan(wanted.at("score")));
    scores.push_back(item.score.score);
    const auto values = item.statistics.values();
    statistics.insert(statistics.end(), values.begin(), values.end());
  }
  report.compare("score", doubles(scores));
  report.compare("stats", doubles(statistics).view({-1, static_cast<int64_t>(MeteorStatistics::kCount)}));
}

void verify_meteor_words(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const MeteorData data = meteor_data_of(golden);
  report.require("synonyms are there", data.synonyms() != nullptr);
  const EnglishStemmer stemmer;
  for (const auto& row : expected_json(golden)) {
    const auto word = row.at(0).get<std::string>();
    report.compare_text("stem of \"" + word + "\"", stemmer.stem(word), row.at(1).get<std::string>());
    if (data.synonyms() != nullptr) {
      report.require("synsets of \"" + word + "\"",
                     data.synonyms()->synsets_of(word) == row.at(2).get<std::vector<uint32_t>>());
    }
  }
}

void verify_meteor_normalize(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const MeteorData data = meteor_data_of(golden);
  for (const auto& row : expected_json(golden)) {
    const auto raw = row.at(0).get<std::string>();
    report.compare_text("\"" + raw + "\"",
                        fmt::format("{}", fmt::join(meteor_words_of(raw, data.prefixes()), " ")),
                        row.at(1).get<std::string>());
  }
}

void verify_spice_tuples(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const MeteorData data = meteor_data_of(golden);
  const Json items = case_json(golden, "items.json");
  const Json expected = expected_json(golden);
  if (data.synonyms() == nullptr) {
    throw SkipCase{"the METEOR data that the case names has no synonyms"};
  }
  report.require("a result an item", items.size() == expected.size());
  double sum = 0;
  for (size_t i = 0; i < std::min(items.size(), expected.size()); ++i) {
    const SpiceItem item{.id = items[i].at("id").get<std::string>(),
                         .candidate = tuples_of(items[i].at("test")),
                         .references = tuples_of(items[i].at("ref"))};
    report.compare_text(fmt::format("id[{}]", i), item.id, expected[i].at("id").get<std::string>());
    const SpiceResult result = spice_score(item, *data.synonyms());
    compare_spice(report, item.id, result, expected[i]);
    sum += result.scores[0].f;
  }
  report.compare_number("mean_f", sum / static_cast<double>(items.size()),
                        golden.json().at("expected").at("mean_f").get<double>());
}

}  // namespace patchioner
