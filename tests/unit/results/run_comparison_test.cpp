#include "results/run_comparison.hpp"

#include <doctest/doctest.h>

#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "refusals.hpp"
#include "result_folders.hpp"
#include "results/map_bootstrap.hpp"
#include "support/files.hpp"
#include "unit/results/dense_lines.hpp"

using namespace patchioner;

namespace {

/// "path: a -> b", one a line.
std::string differences(const std::string& a, const std::string& b) {
  std::string text;
  for (const ConfigDifference& one : config_differences(parse_yaml(a, "a"), parse_yaml(b, "b"))) {
    text += one.path + ": " + shown_setting(one.a) + " -> " + shown_setting(one.b) + "\n";
  }
  return text;
}

const std::vector<TestItem> kItemsA = {
    {"0.0", "a cat", 2}, {"0.1", "a cat", 1}, {"1.0", "a cow", 4}, {"1.1", "x", 0}};
const std::vector<TestItem> kItemsB = {{"0.0", "a cat", 2}, {"0.1", "a dog", 6}, {"1.0", "an ox", 1}};

}  // namespace

TEST_CASE("configs are compared key by key, in the order of the first with the other's keys behind") {
  CHECK(
      differences(
          "{backbone: {plugin: clip, weights: a.pth, text: 1}, gap: {plugin: none}}",
          "{gap: {plugin: none}, backbone: {crop: 2, plugin: dino, weights: a.pth}, runtime: {batch: 8}}") ==
      "backbone.plugin: clip -> dino\n"
      "backbone.text: 1 -> (absent)\n"
      "backbone.crop: (absent) -> 2\n"
      "runtime.batch: (absent) -> 8\n");
}

TEST_CASE("absent, null and empty are three different things, one and 1.0 are the same") {
  CHECK(differences("{a: null, b: '', c: 1, d: [], e: 1, f: true}",
                    "{b: null, c: 1.0, d: {}, e: '1', f: true}") ==
        "a: null -> (absent)\n"
        "b: \"\" -> null\n"
        "d: [] -> {}\n"
        "e: 1 -> 1\n");
}

TEST_CASE("lists of plugins are compared by their places, other lists as a whole") {
  CHECK(differences("{gap: {plugin: memory, temperature: 0.01}, dataset: {files: [a, b]}}",
                    "{gap: [{plugin: noise}, {plugin: memory}], dataset: {files: [a]}}") ==
        "gap.0.plugin: memory -> noise\n"
        "gap.0.temperature: 0.01 -> (absent)\n"
        "gap.1.plugin: (absent) -> memory\n"
        "dataset.files: [\"a\",\"b\"] -> [\"a\"]\n");
  CHECK(differences("{gap: {plugin: memory}}", "{gap: [{plugin: memory}]}").empty());
}

TEST_CASE("where results go does not matter, all else of the evaluation does") {
  CHECK(differences("{evaluate: {output: a, exif: ignore, limit: 0}}",
                    "{evaluate: {output: b, exif: apply, limit: 0}}") == "evaluate.exif: ignore -> apply\n");
  CHECK(differences("{x: {output: a}}", "{x: {output: b}}") == "x.output: a -> b\n");
}

TEST_CASE("a value where the other has keys is a difference of both") {
  CHECK(differences("{a: 1}", "{a: {b: 2}}") == "a: 1 -> (absent)\na.b: (absent) -> 2\n");
}

TEST_CASE("two runs are compared by configs, metrics and items") {
  const ResultFolders folders;
  const auto a = folders.add("clip/boxes", "gap: {plugin: memory, temperature: 0.01}\n", kItemsA);
  const auto b = folders.add("dino/boxes", "gap: {plugin: memory, temperature: 0.5}\n", kItemsB);
  const RunComparison comparison = compare_runs(a, b, {.metric = "", .examples = 2, .resamples = 500});
  CHECK(comparison.name_a == "clip");
  CHECK(comparison.name_b == "dino");
  REQUIRE(comparison.config.size() == 1);
  CHECK(comparison.config[0].path == "gap.temperature");
  CHECK(comparison.paired == 3);
  CHECK(comparison.only_a == 1);
  CHECK(comparison.only_b == 0);
  REQUIRE(comparison.metrics.size() == 2);
  CHECK(comparison.metrics[0].name == "map(no-paraphrase)");
  CHECK_FALSE(comparison.metrics[0].items);
  CHECK(comparison.metrics[1].a == doctest::Approx(7.0 / 4));
  CHECK(comparison.metrics[1].b == doctest::Approx(3));
  REQUIRE(comparison.metrics[1].items);
  const PairedDifference& items = *comparison.metrics[1].items;
  CHECK(items.delta == doctest::Approx((0 + 5 - 3) / 3.0));  // of the three that both have
  CHECK(items.wins == 1);
  CHECK(items.losses == 1);
  CHECK(items.ties == 1);
  CHECK(comparison.metric == "CIDEr");
  REQUIRE(comparison.gained.size() == 1);
  CHECK(comparison.gained[0].b.caption == "a dog");
  CHECK(comparison.gained[0].difference == 5);
  REQUIRE(comparison.lost.size() == 1);
  CHECK(comparison.lost[0].a.place == "1.0");

  const std::string text = comparison_text(comparison);
  mentions(text, "boxes: 3 items of both; 1 of A alone and 0 of B alone, which the other left out.");
  mentions(text, "  gap.temperature: 0.01 -> 0.5\n");
  mentions(text, "+1.2500");
  REQUIRE(comparison.notes.size() == 1);
  mentions(text, "note: no interval of mAP of A and B: items.jsonl does not say");
  mentions(text,
           "  +5.0000  1.png, place 0.1\n    A 1.0000  a cat\n    B 6.0000  a dog\n    said      a dog\n");

  const nlohmann::ordered_json json = to_json(comparison);
  CHECK(json["config"][0] == nlohmann::ordered_json({{"path", "gap.temperature"}, {"a", 0.01}, {"b", 0.5}}));
  CHECK(json["items"] == nlohmann::ordered_json({{"both", 3}, {"only_a", 1}, {"only_b", 0}}));
  CHECK(json["metrics"]["CIDEr"]["difference"] == doctest::Approx(1.25));
  CHECK(json["metrics"]["CIDEr"]["items"]["better"] == 1);
  CHECK_FALSE(json["metrics"]["map(no-paraphrase)"].contains("items"));
  CHECK(json["notes"] == comparison.notes);
  CHECK(json["lost"][0]["caption_b"] == "an ox");

  write_comparison_page(comparison, ResultImages::open(a), folders / "page.html");
  const std::string html = read_file(folders / "page.html");
  mentions(html, "<td class=\"text\">0.01</td><td class=\"text\">0.5</td>");
  mentions(html, "<p class=\"from\">clip</p><p class=\"caption\">a cow</p>");
  mentions(html, "<p class=\"from\">dino</p><p class=\"caption\">an ox</p>");
  mentions(html, "<p>Note: no interval of mAP of A and B: ");
  mentions(html, "data:image/jpeg;base64,");
  mentions(html, "box 20,5 15");
}

TEST_CASE("mAP is compared on the images of both, and of them nothing is counted") {
  const ResultFolders folders;
  const auto dense = [&](const std::string& name, const std::vector<ScoredItem>& items) {
    const auto folder = folders.add(name, "", {});
    folders.folder().write(name + "/items.jsonl", dense_text(items));
    DetectionLines lines;
    for (const ScoredItem& item : items) {
      lines.add(item);
    }
    const double map = MapBootstrap(lines, DenseVariant::python, 0, 0).value("map");
    folders.folder().write(
        name + "/metrics.json",
        nlohmann::ordered_json({{"name", "boxes"}, {"metrics", {{"map(no-paraphrase)", map}}}}).dump());
    return folder;
  };
  const auto a = dense("clip/boxes", dense_items_of(50, 1));
  const auto b = dense("dino/boxes", dense_items_of(50, 2, 0.1));
  const RunComparison comparison = compare_runs(a, b, {.metric = "", .examples = 0});
  REQUIRE(comparison.metrics[0].items);
  const PairedDifference& maps = *comparison.metrics[0].items;
  CHECK(maps.delta == *comparison.metrics[0].b - *comparison.metrics[0].a);
  CHECK(maps.interval.low > 0);
  CHECK(maps.interval.high > maps.delta);
  const nlohmann::ordered_json json = to_json(comparison)["metrics"]["map(no-paraphrase)"]["items"];
  CHECK(json["p"] == maps.p_value);
  CHECK_FALSE(json.contains("better"));
  mentions(comparison_text(comparison), fmt::format("{:.4f}       -      -      -\n", maps.p_value));
  write_comparison_page(comparison, ResultImages::open(a), folders / "page.html");
  const std::string html = read_file(folders / "page.html");
  mentions(html, "(paired bootstrap); of mAP, which no item has a value of, over images.");
  mentions(html, "<td>\u2013</td><td>\u2013</td><td>\u2013</td></tr>");
}

TEST_CASE("an image that is gone is said on the page, beside the captions that there are") {
  const ResultFolders folders;
  const auto a = folders.add("a/boxes", "", kItemsA);
  const auto b = folders.add("b/boxes", "", kItemsB);
  std::filesystem::remove(folders / "2.png");
  write_comparison_page(compare_runs(a, b, {}), ResultImages::open(b), folders / "page.html");
  const std::string html = read_file(folders / "page.html");
  mentions(html, "2.png: is in none of the folders of dataset.images");
  mentions(html, "an ox");
}

TEST_CASE("a data set that has changed since the run does not put captions on other images") {
  const ResultFolders folders;
  const ResultImages images = ResultImages::open(folders.add("a/boxes", "", kItemsA));
  ScoredItem item;
  item.image = "1.png";
  for (const char* place : {"1.0", "0.2", "5.0"}) {
    item.place = place;
    const ShownImage shown = images.shown(item);
    CHECK_FALSE(shown.pixels.defined());
    mentions(shown.error, "1.png: is no longer at the place " + std::string(place));
  }
  item.place = "#3";  // of results that do not say it
  mentions(images.shown(item).error, "'#3' is no place");
  item.place = "0.1";
  const ShownImage shown = images.shown(item);
  CHECK(shown.error.empty());
  CHECK(std::get<Box>(shown.regions[0].region.shape).width == 15);
}

TEST_CASE("runs of two data sets are refused in one sentence") {
  const ResultFolders folders;
  const auto a = folders.add("a", "", kItemsA);
  const auto b = folders.add("b", "", kItemsB, "others");
  mentions(refusal_of(ErrorKind::usage, [&] { compare_runs(a, b, {}); }),
           "is of the data set 'boxes' and " + b.string() + " of 'others'");
  mentions(refusal_of(ErrorKind::usage, [&] { compare_runs(a, a, {.metric = "CIDer"}); }),
           "did you mean 'CIDEr'?");
}

TEST_CASE("a run compared with itself differs in nothing") {
  const ResultFolders folders;
  const auto a = folders.add("a", "gap: {plugin: none}\n", kItemsA);
  const RunComparison comparison = compare_runs(a, a, {});
  CHECK(comparison.config.empty());
  CHECK(comparison.gained.empty());
  CHECK(comparison.lost.empty());
  CHECK(comparison.metrics[1].items->ties == 4);
  const std::string text = comparison_text(comparison);
  mentions(text, "The configs do not differ.");
  mentions(text, "Gained most CIDEr, from A to B:\n  none\n");
}
