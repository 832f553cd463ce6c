// Golden cases of data sets: conversions and the trace benchmark.
#include <patchioner/error.hpp>

#include "data/dataset_reading.hpp"
#include "data/trace_benchmark.hpp"
#include "data/visual_genome.hpp"
#include "support/files.hpp"
#include "support/split.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

nlohmann::json read_json(const std::filesystem::path& path) {
  return nlohmann::json::parse(read_file(path));
}

void compare_json(CaseReport& report, const std::string& name, const nlohmann::json& ours,
                  const nlohmann::json& expected) {
  report.compare_text(name, ours.dump(), expected.dump());
}

/// Numbers as numbers: 25 and 25.0 are equal, as they are to whoever reads the file.
void compare_box(CaseReport& report, const std::string& name, const OrderedJson& ours,
                 const nlohmann::json& expected) {
  report.require(name + ": four corners", ours.size() == 4 && expected.size() == 4);
  for (size_t i = 0; i < std::min(ours.size(), expected.size()); ++i) {
    report.compare_number(fmt::format("{}[{}]", name, i), ours[i].get<double>(), expected[i].get<double>(),
                          "boxes");
  }
}

}  // namespace

void verify_trace_benchmark(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  Replies replies;
  const nlohmann::json replies_json = read_json(golden.file("replies.json"));  // items() keeps no copy
  for (const auto& [sentence, reply] : replies_json.items()) {
    replies[sentence] = reply.get<std::string>();
  }
  TraceBenchmark benchmark;
  for (const std::string& line : split(read_file(golden.file("narratives.jsonl")), '\n')) {
    if (!line.empty()) {
      benchmark.add(narrative_from_json(OrderedJson::parse(line)));
    }
  }
  const nlohmann::json sentences = read_json(golden.file("expected_sentences.json"));
  size_t number = 0;
  benchmark.for_each_sentence([&](const std::string& key, const TraceSentence& sentence) {
    const std::string name = fmt::format("sentence {}", number);
    report.require(name + " was expected", number < sentences.size());
    if (number >= sentences.size()) {
      return;
    }
    const nlohmann::json& expected = sentences[number++];
    const ParsedReply reply = TraceBenchmark::fate_of(sentence, replies);
    report.compare_text(name, sentence.text, expected.at("sentence").get<std::string>());
    report.compare_text(name + " image", key, benchmark_key(expected.at("image_id").get<std::string>()));
    report.compare_number(name + " start", sentence.start, expected.at("start").get<double>());
    report.compare_number(name + " end", sentence.end, expected.at("end").get<double>());
    report.require(name + " points", sentence.point_count == expected.at("points").get<size_t>());
    report.require(name + " trim_each_side", sentence.trimmed == expected.at("trim_each_side").get<size_t>());
    report.require(name + " kept", sentence.points.size() == expected.at("kept").get<size_t>());
    report.compare_text(name + " status", std::string(to_string(reply.fate)),
                        expected.at("status").get<std::string>());
    if (expected.at("caption").is_string()) {
      report.compare_text(name + " caption", reply.caption, expected["caption"].get<std::string>());
    }
  });
  report.require(fmt::format("{} sentences", sentences.size()), number == sentences.size());

  nlohmann::json ours = nlohmann::json::object();
  std::map<SentenceFate, size_t> fates;
  benchmark.write(
      replies, [&](const std::string& key, const OrderedJson& value) { ours[key] = value; }, fates);
  compare_json(report, "expected.json", ours, read_json(golden.file("expected.json")));
}

void verify_vg_conversion(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const nlohmann::json& image = golden.json().at("image");
  const nlohmann::json expected = read_json(golden.file("expected.json"));
  size_t too_long = 0;
  size_t invalid = 0;
  size_t empty = 0;
  size_t number = 0;
  for (const auto& entry : OrderedJson::parse(read_file(golden.file("region_descriptions.json")))) {
    for (const auto& region : entry.at("regions")) {
      const auto phrase = clean_region_phrase(region.at("phrase").get<std::string>());
      if (!phrase) {
        ++too_long;
        continue;
      }
      const OrderedJson corners =
          clamp_region_box(region, image.at("width").get<int64_t>(), image.at("height").get<int64_t>());
      const Box box = box_of_corners(corners);
      const bool valid = box.width > 0 && box.height > 0;
      empty += phrase->empty() ? 1 : 0;
      invalid += valid ? 0 : 1;
      const std::string name = fmt::format("annotation {}", number + 1);
      report.require(name + " was expected", number < expected.size());
      if (number < expected.size()) {
        report.compare_text(name + " caption", *phrase, expected[number].at("caption").get<std::string>());
        compare_box(report, name + " bbox", corners, expected[number].at("bbox"));
        report.require(name + " valid", valid == expected[number].at("valid").get<bool>());
      }
      ++number;
    }
  }
  report.require(fmt::format("{} annotations", expected.size()), number == expected.size());
  report.require("dropped_too_long", too_long == golden.json().at("dropped_too_long").get<size_t>());
  report.require("invalid_boxes", invalid == golden.json().at("invalid_boxes").get<size_t>());
  report.require("empty_phrases", empty == golden.json().at("empty_phrases").get<size_t>());
}

}  // namespace patchioner
