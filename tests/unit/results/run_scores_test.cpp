// Folders of results as `eval` and sweeps leave them, and damaged ones.
#include "results/run_scores.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <patchioner/error.hpp>

#include "test_folder.hpp"

using namespace patchioner;

namespace {

constexpr const char* kMetrics = R"json({"name": "emoji_dense", "task": "dense", "items": 1036,
  "metrics": {"map(no-paraphrase)": 0.455, "CIDEr": 0.882, "SPICE(rules)": null, "x": "Infinity", "y": ".nan"},
  "options": {"dense_variant": "lua"}, "boxes": {"images": 240, "merged_boxes": 1030},
  "std": {"CIDEr": 1.4}, "dataset": {"format": "dense", "images": 240, "regions": 1036},
  "timing": {"captioning_seconds": 8.5, "images_per_second": 28.2, "scoring_seconds": 0.25}})json";

/// The message of the Error that `action` throws.
template <class Action>
std::string message_of(const Action& action, ErrorKind kind) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("metrics.json of an evaluation") {
  const TestFolder folder;
  folder.write("run/metrics.json", kMetrics);
  const RunScores run = read_run_scores(folder / "run/");
  CHECK(run.row == "run");
  CHECK(run.dataset == "emoji_dense");
  CHECK(run.finished);
  CHECK(run.failure.empty());
  CHECK(run.items == 1036);
  CHECK(run.images == 240);
  CHECK(run.regions == 1036);
  CHECK(run.seconds == 8.75);
  CHECK(run.dense_variant == "lua");
  CHECK(run.boxes == 1030);
  REQUIRE(run.metrics.size() == 5);
  CHECK(run.metrics[0].name == "map(no-paraphrase)");
  CHECK(run.metrics[1].value == 0.882);
  CHECK(std::isnan(run.metrics[2].value));
  CHECK(run.metrics[3].value == std::numeric_limits<double>::infinity());
  CHECK(std::isnan(run.metrics[4].value));
}

TEST_CASE("a metric is found by its name, or by what stands before a bracket") {
  RunScores run;
  run.metrics = {{"SPICE(rules)", 0.1}, {"SPICE", 0.2}, {"RefCLIP-S", 0.3}, {"METEOR(exact-stem)", 0.4}};
  CHECK(run.find("SPICE")->value == 0.2);
  CHECK(run.find("SPICE(rules)")->value == 0.1);
  CHECK(run.find("METEOR")->value == 0.4);
  CHECK(run.find("CLIP-S") == nullptr);
  CHECK(run.find("METE") == nullptr);
}

TEST_CASE("seconds are those of all stages where run.json tells them") {
  const TestFolder folder;
  folder.write("metrics.json", kMetrics);
  folder.write("run.json",
               R"({"stages": [{"stage": "encode", "seconds": 100}, {"stage": "score", "seconds": 2.5}]})");
  CHECK(read_run_scores(folder.path()).seconds == 102.5);
  folder.write("run.json", "{");
  CHECK(message_of([&] { read_run_scores(folder.path()); }, ErrorKind::data).find("run.json") !=
        std::string::npos);
}

TEST_CASE("what is no folder of results is refused, by the file's name") {
  const TestFolder folder;
  const auto refused = [&](const std::string& content, const std::string& expected) {
    const std::filesystem::path file = folder.write("metrics.json", content);
    const std::string message = message_of([&] { read_run_scores(folder.path()); }, ErrorKind::data);
    INFO(message);
    CHECK(message.find(file.string()) == 0);
    CHECK(message.find(expected) != std::string::npos);
  };
  CHECK(message_of([&] { read_run_scores(folder.path()); }, ErrorKind::io).find("metrics.json") !=
        std::string::npos);
  refused("{\"metrics\": {\"CIDEr\": 0.", "is no valid JSON");
  refused("[1, 2]", "holds no JSON object");
  refused("{\"name\": \"x\"}", "has no \"metrics\"");
  refused(R"({"metrics": {"CIDEr": "much"}})", "metrics.CIDEr is \"much\"");
}

TEST_CASE("items.jsonl: metrics are values, other numbers are not") {
  const TestFolder folder;
  folder.write("items.jsonl",
               "{\"id\": \"1\", \"place\": \"12.3\", \"file_name\": \"a.jpg\", \"caption\": \"a dog\", "
               "\"box\": [1, 2, 3, 4], "
               "\"score\": 0.5, \"overlap\": 1, \"first_of_its_box\": true, \"boxes_of_image\": 3, "
               "\"box_METEOR\": 0.25, "
               "\"references\": [\"a dog\", \"a cat\"], \"CIDEr\": 1.5, \"SPICE\": null}\n"
               "\n"
               "{\"id\": 7, \"caption\": \"\", \"references\": [], \"CIDEr\": 0}");
  const std::vector<ScoredItem> items = read_scored_items(folder.path());
  REQUIRE(items.size() == 2);
  CHECK(items[0].place == "12.3");
  CHECK(items[0].image == "a.jpg");
  CHECK(items[0].caption == "a dog");
  CHECK(items[0].references == std::vector<std::string>{"a dog", "a cat"});
  CHECK(items[0].values == std::map<std::string, double>{{"CIDEr", 1.5}, {"box_METEOR", 0.25}});
  REQUIRE(items[0].detection);
  CHECK(items[0].detection->score == 0.5);
  CHECK(items[0].detection->overlap == 1);
  CHECK(items[0].detection->is_first);
  CHECK(items[0].detection->boxes_of_image == 3);
  CHECK_FALSE(items[1].detection);
  CHECK(items[1].place == "#2");
  CHECK(items[1].values == std::map<std::string, double>{{"CIDEr", 0}});

  folder.write("items.jsonl", "{\"id\": 1}\n{\"id\"");
  CHECK(message_of([&] { read_scored_items(folder.path()); }, ErrorKind::data).find("line 2") !=
        std::string::npos);
  folder.write("items.jsonl", "");
  CHECK(read_scored_items(folder.path()).empty());
}
