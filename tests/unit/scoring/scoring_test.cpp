// What `score` and `eval` share: metrics of predictions in memory, and how the report is written.
#include "scoring/scoring.hpp"

#include "refusals.hpp"
#include "unit/data/dataset_folder.hpp"

namespace patchioner {
namespace {

constexpr const char* kCaptions =
    R"({"images": [{"id": 1, "file_name": "one.jpg"}, {"id": 2, "file_name": "two.jpg"}],
  "annotations": [{"id": 1, "image_id": 1, "caption": "a dog runs"}, {"id": 2, "image_id": 2, "caption": "a red car"}]})";
constexpr const char* kSets =
    R"({"1": {"a dog runs": [[0,0,10,10]]}, "2": {"a red car": [[0,0,10,10],[5,5,9,9]]}})";

Prediction prediction(const std::string& image, const std::string& caption,
                      RegionShape shape = WholeImage()) {
  Prediction made;
  made.image = image;
  made.caption = caption;
  made.shape = std::move(shape);
  made.where = "made for image " + image;
  return made;
}

Predictions of_images() {
  Predictions predictions;
  predictions.items = {prediction("2", "a red car"), prediction("1", "a dog")};
  return predictions;
}

ScoreReport score(const Predictions& predictions, const DatasetFolder& references,
                  const ScoringOptions& options) {
  const Dataset dataset = references.open();
  ScoringInput input;
  input.predictions = &predictions;
  input.references = &dataset;
  return score_predictions(input, options);
}

ScoringOptions wanting(std::vector<std::string> metrics) {
  ScoringOptions options;
  options.metrics = std::move(metrics);
  return options;
}

TEST_CASE("predictions that no file holds are scored, in the order in which metrics were asked for") {
  const ScoreReport report =
      score(of_images(), DatasetFolder(kCaptions), wanting({"SPICE", "ROUGE_L", "Bleu_1"}));
  CHECK(report.task == "image");
  CHECK(report.items == 2);
  REQUIRE(report.metrics.size() == 3);
  CHECK(report.metrics[0].name == "SPICE(rules)");
  CHECK(report.metrics[1].name == "ROUGE_L");
  CHECK(report.metrics[2].name == "Bleu_1");
  CHECK(report.metrics[1].scores.segments[0] == doctest::Approx(1));
  // P = 1, R = 2/3: (1 + 1.44) P R / (R + 1.44 P)
  CHECK(report.metrics[1].scores.segments[1] == doctest::Approx(2.44 * 2 / 3 / (2.0 / 3 + 1.44)));
  REQUIRE(report.lines.size() == 2);
  CHECK(report.line_predictions == std::vector<size_t>{0, 1});
  CHECK(report.lines[1]["id"] == "1");
  CHECK(report.lines[1]["references"][0] == "a dog runs");
  CHECK(report.lines[0]["ROUGE_L"] == 1.0);
  CHECK(report.lines[0].contains("SPICE(rules)"));
  CHECK(report.spice_categories.size() == 6);
}

TEST_CASE("JSON has values, population deviations and SPICE's categories") {
  const ScoringOptions options = wanting({"ROUGE_L", "SPICE"});
  const nlohmann::ordered_json json = to_json(score(of_images(), DatasetFolder(kCaptions), options), options);
  const double second = 2.44 * 2 / 3 / (2.0 / 3 + 1.44);
  CHECK(json["metrics"]["ROUGE_L"].get<double>() == doctest::Approx((1 + second) / 2));
  CHECK(json["std"]["ROUGE_L"].get<double>() == doctest::Approx((1 - second) / 2));  // of two values, ddof 0
  CHECK(json["options"]["spice"] == "rules");
  CHECK(json["items"] == 2);
  CHECK(json["spice"].contains("Object"));
  CHECK(json["spice"]["Size"].is_null());  // no caption says a size
}

TEST_CASE(
    "CSV is in the order of papers' tables, fractions for images, reference's rounding for region sets") {
  const auto images = score_csv(score(of_images(), DatasetFolder(kCaptions), wanting({"ROUGE_L", "Bleu_1"})));
  CHECK(images.starts_with("Bleu_1,ROUGE_L,Bleu_1_std,ROUGE_L_std\n0."));
  Predictions sets;
  sets.items = {prediction("1", "a dog", BoxSet{{{0, 0, 10, 10}}}),
                prediction("2", "a red car", BoxSet{{{0, 0, 10, 10}, {5, 5, 4, 4}}})};
  // ROUGE_L: 0.772 and 1: their mean is 0.88607, their deviation 0.11393
  CHECK(score_csv(score(sets, DatasetFolder(kSets), wanting({"ROUGE_L"}))) ==
        "ROUGE_L,ROUGE_L_std\n88.6,11.4\n");
}

TEST_CASE("a table has a line a metric") {
  const ScoreReport report = score(of_images(), DatasetFolder(kCaptions), wanting({"ROUGE_L"}));
  CHECK(score_table(report, false) ==
        "metric                       value\nROUGE_L                      0.8861\n");
  CHECK(score_table(report, true) ==
        "metric                       value x100\nROUGE_L                      88.61\n");
}

TEST_CASE("default metrics are those of the task and of the models there are") {
  ScoringOptions options;
  CHECK(default_metrics(false, options) == std::vector<std::string>{"Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4",
                                                                    "METEOR", "ROUGE_L", "CIDEr", "SPICE"});
  CHECK(default_metrics(true, options) == std::vector<std::string>{"map", "detmap"});
  options.pac = "pac.pth";
  CHECK(default_metrics(true, options) ==
        std::vector<std::string>{"map", "detmap", "PAC-S", "RefPAC-S", "PAC-S_cropped"});
  CHECK(default_metrics(false, options).back() == "RefPAC-S");
}

TEST_CASE("metrics that cannot be had are refused before anything is read") {
  const Dataset references = DatasetFolder(kCaptions).open();
  const auto refused = [&](std::vector<std::string> metrics) {
    return refusal_of(ErrorKind::usage,
                      [&] { check_scoring(references, false, wanting(std::move(metrics))); });
  };
  mentions(refused({"Blue_4"}), "there is no metric 'Blue_4'; did you mean 'Bleu_4'?");
  mentions(refused({"CIDEr", "CIDEr"}), "CIDEr is asked for twice");
  mentions(refused({"map"}), "--task dense");
  mentions(refused({"CLIP-S"}), "CLIP-S needs --clip (score.clip of a config)");
  mentions(refused({"PAC-S_cropped"}), "PAC-S_cropped needs --pac (score.pac of a config)");
}

TEST_CASE("files that metrics need are refused before there are predictions, by metrics that are wanted") {
  const TestFolder folder;
  const Dataset references = DatasetFolder(kCaptions).open();
  ScoringOptions options;
  options.meteor_data = options.cider_df = (folder / "absent").string();
  options.meteor_fallback = "none";
  options.spice = "tuples";
  const auto check = [&](std::vector<std::string> metrics, bool is_dense = false) {
    options.metrics = std::move(metrics);
    check_scoring(references, is_dense, options);
  };
  CHECK_NOTHROW(check({"Bleu_1", "ROUGE_L"}));
  mentions(refusal_of(ErrorKind::io, [&] { check({"METEOR"}); }), "meteor_data (--meteor-data)");
  mentions(refusal_of(ErrorKind::io, [&] { check({"map"}, true); }), "meteor_data (--meteor-data)");
  mentions(refusal_of(ErrorKind::io, [&] { check({"CIDEr"}); }), "absent");
  mentions(refusal_of(ErrorKind::io, [&] { check({"SPICE"}); }), "meteor_data (--meteor-data)");
  options.meteor_data.clear();
  mentions(refusal_of(ErrorKind::config, [&] { check({"METEOR"}); }), "meteor_fallback (--meteor-fallback)");
  mentions(refusal_of(ErrorKind::config, [&] { check({"SPICE"}); }), "score.spice_tuples (--spice-tuples)");
  options.spice_tuples = folder.write("tuples.json", R"([{"image_id": 1, "test": []}])").string();
  mentions(refusal_of(ErrorKind::data, [&] { check({"SPICE"}); }), R"(item 0: 1: has no "refs")");
  options.spice_tuples = folder.write("tuples.json", "[]").string();
  CHECK_NOTHROW(check({"SPICE"}));  // who has an item is known with the captions
}

TEST_CASE("a model that is not there is refused before there are predictions") {
  const TestFolder folder;
  DatasetFolder references(kCaptions);
  references.folder.write("one.jpg", "is found, and not read");
  references.options.image_folders = {references.folder.path()};
  ScoringOptions options = wanting({"CLIP-S"});
  options.clip = (folder / "absent.pth").string();
  CHECK_THROWS_WITH_AS(check_scoring(references.open(), false, options), doctest::Contains("absent.pth"),
                       Error);
  options.metrics = {"Bleu_1"};
  CHECK_NOTHROW(check_scoring(references.open(), false, options));
}

}  // namespace
}  // namespace patchioner
