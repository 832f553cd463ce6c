#include "results/sweep_page.hpp"

#include <doctest/doctest.h>

#include <patchioner/error.hpp>

#include "refusals.hpp"
#include "result_folders.hpp"
#include "results/result_table_html.hpp"
#include "results/sweep_gallery.hpp"
#include "results/sweep_plots.hpp"
#include "small_table.hpp"
#include "support/files.hpp"
#include "text_search.hpp"

using namespace patchioner;

namespace {

TableRow row_with(const std::string& name, std::vector<std::pair<std::string, std::string>> labels) {
  TableRow row;
  row.name = name;
  row.labels = std::move(labels);
  return row;
}

/// A sweep of three rows on one data set, of which the last failed.
struct SmallSweep {
  ResultFolders folders;
  ResultTable table;
  std::vector<RunScores> runs;

  SmallSweep() {
    add("clip", {{"0.0", "a bat", 1}, {"0.1", "a dog", 6}, {"1.0", "a cow", 3}, {"1.1", "a hen", 2}});
    add("dino", {{"0.0", "a cat", 8}, {"0.1", "a log", 5}, {"1.0", "a cow", 3}});
    RunScores& failed = runs.emplace_back();
    failed.row = "broken";
    failed.dataset = "boxes";
    failed.folder = folders / "broken/boxes";
    failed.failure = "weights.pth <x>: is not there";
    failed.log = "runs/broken/log.txt";
    table.name = "small";
    table.title = "A small sweep";
    table.baseline = "clip";
    for (const RunScores& run : runs) {
      table.rows.push_back(row_with(run.row, {}));
    }
    table.columns = {{.dataset = "boxes", .metric = "map", .title = "mAP", .group = "", .paper = {}},
                     {.dataset = "boxes", .metric = "CIDEr", .title = "", .group = "", .paper = {}}};
    fill_table(table, runs, {.intervals = true, .resamples = 100, .seed = 1});
  }

  void add(const std::string& row, const std::vector<TestItem>& items) {
    RunScores& run = runs.emplace_back(read_run_scores(folders.add(row + "/boxes", "", items)));
    run.row = row;
  }

  std::string page(int64_t examples = 2) const {
    write_sweep_page({.table = table, .runs = runs, .examples = examples}, folders / "index.html");
    return read_file(folders / "index.html");
  }
};

}  // namespace

TEST_CASE("a table on a page says best, interval, significance, paper, failure and what was not run") {
  const std::string html = table_html(small_table());
  mentions(html, "<th class=\"group\" scope=\"colgroup\" colspan=\"2\">boxes</th>");
  mentions(html, "<th class=\"group\" scope=\"colgroup\" colspan=\"1\">Image captions</th>");
  mentions(html, ">Regions</th>");
  mentions(html, "<small>baseline</small>");
  mentions(html,
           "<td class=\"best\">31.9<span class=\"rise\" title=\"+12.8 against the baseline, p "
           "0.0490\">\u25b2</span>"
           "<small>30.0 \u2013 33.8</small><small class=\"paper\">paper 31.9</small></td>");
  mentions(html, "<span class=\"fall\"");
  // Less time is better.
  mentions(html, "3.50<span class=\"rise\" title=\"-1.00 against the baseline, p 0.0005\">");
  mentions(html, "<small class=\"paper outside\">paper 19.4</small>");
  mentions(html, "title=\"not run\">\u2013<small class=\"paper\">paper 21.0</small></td>");
  mentions(html, "<td class=\"failed\" title=\"the image 7.jpg\ncannot be read\">failed</td>");
  mentions(html,
           "<li><b>Talk2DINO \u03b2, 100</b> on images: the image 7.jpg cannot be read<br><small>log: "
           "runs/talk2dino/log.txt</small></li>");
  mentions(html, "red where ours is further than 0.1 from it");
  mentions(html, "METEOR was left out_");
}

TEST_CASE("a run that failed is one failure, however many columns it has") {
  const SmallSweep sweep;
  const std::string html = table_html(sweep.table);
  CHECK(count(html, ">failed</td>") == 2);
  CHECK(count(html, "weights.pth &lt;x&gt;: is not there<br>") == 1);
}

TEST_CASE("rows that are called the same are told apart by their groups") {
  ResultTable table;
  table.label_names = {"Encoder"};
  table.rows = {row_with("a", {{"Encoder", "CLIP"}}), row_with("b", {{"Encoder", "CLIP"}}),
                row_with("c", {{"Encoder", "DINO"}})};
  table.rows[0].group = "crops";
  table.rows[1].group = "patches";
  CHECK(row_names(table) == std::vector<std::string>{"crops, CLIP", "patches, CLIP", "DINO"});
  table.rows[1].group = "crops";  // labels do not tell the rows apart
  CHECK(row_names(table) == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("factors of the grid come first, labels that say the same are no factor of their own") {
  ResultTable table;
  table.label_names = {"Encoder", "Note", "Same"};
  for (int i = 0; i < 6; ++i) {
    table.rows.push_back(row_with(
        "r" + std::to_string(i),
        {{"Encoder", i % 2 == 0 ? "CLIP" : "DINO"}, {"Note", i < 3 ? "early" : "late"}, {"Same", "x"}}));
  }
  table.rows[5].labels.erase(table.rows[5].labels.begin() + 1);
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> factors;
  for (int i = 0; i < 6; ++i) {
    factors["r" + std::to_string(i)] = {{"backbone", i % 2 == 0 ? "clip" : "dino"}, {"gap", "memory"}};
  }
  const std::vector<SweepFactor> found = sweep_factors(table, factors).drawn;
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "backbone");
  CHECK(found[0].values == std::vector<std::string>{"clip", "dino"});
  CHECK(found[1].name == "Note");
  CHECK(found[1].of_row == std::vector<std::string>{"early", "early", "early", "late", "late", ""});
  CHECK(sweep_factors(table, {}).drawn[0].name == "Encoder");
}

TEST_CASE("a label with more than twenty values is no factor, and a factor with so many has no plot") {
  ResultTable table;
  table.label_names = {"Seed"};
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> factors;
  for (int i = 0; i < 20; ++i) {
    table.rows.push_back(row_with(std::to_string(i), {{"Seed", std::to_string(i)}}));
    factors[std::to_string(i)] = {{"seed", std::to_string(i)}};
  }
  CHECK(sweep_factors(table, {}).drawn.size() == 1);
  CHECK(sweep_factors(table, factors).drawn.size() == 1);
  CHECK(sweep_factors(table, factors).too_many.empty());
  table.rows.push_back(row_with("20", {{"Seed", "20"}}));
  CHECK(sweep_factors(table, {}).drawn.empty());
  CHECK(sweep_factors(table, {}).too_many.empty());
  factors["20"] = {{"seed", "20"}};
  CHECK(sweep_factors(table, factors).drawn.empty());
  CHECK(sweep_factors(table, factors).too_many ==
        std::vector<std::pair<std::string, size_t>>{{"seed", size_t{21}}});
  const SweepPlots plots = sweep_plots(table, RunIndex(std::vector<RunScores>{}), factors);
  CHECK(plots.html.empty());
  CHECK(plots.note == "There is no plot by seed, which has 21 values; at most 20 are drawn.");
}

TEST_CASE("plots show CIDEr of a data set, else its first column") {
  ResultTable table;
  for (const auto& [dataset, metric] : std::vector<std::pair<std::string, std::string>>{
           {"a", "map"}, {"a", "CIDEr"}, {"b", "SPICE"}, {"b", "METEOR"}, {"a", "SPICE"}}) {
    table.columns.push_back({.dataset = dataset, .metric = metric, .title = "", .group = "", .paper = {}});
  }
  CHECK(plotted_columns(table) == std::vector<size_t>{1, 2});
}

TEST_CASE("cost is seconds an image; rows without time or value have no dot") {
  SmallSweep sweep;
  sweep.runs[1].images = 0;
  const std::vector<PlotPoint> points =
      cost_points(sweep.table, row_names(sweep.table), 1, RunIndex(sweep.runs));
  REQUIRE(points.size() == 1);
  CHECK(points[0].name == "clip");
  CHECK(points[0].cost == doctest::Approx(4.0 / 2));
  CHECK(points[0].value == doctest::Approx(100 * 12.0 / 4));
}

TEST_CASE("the best row is held against the baseline, or the worst row where there is none") {
  const std::vector<GalleryRun> runs = {{"a", "a", {}, 0.5}, {"b", "b", {}, 0.9}, {"c", "c", {}, 0.1}};
  using Pair = std::pair<size_t, size_t>;
  CHECK(best_and_baseline(runs, "a") == Pair{1, 0});
  CHECK(best_and_baseline(runs, "b") == Pair{0, 1});  // the best of the others
  CHECK(best_and_baseline(runs, "") == Pair{1, 2});
  CHECK(best_and_baseline(runs, "failed") == Pair{1, 2});
  CHECK(best_and_baseline({runs[0]}, "a") == Pair{0, 0});
  CHECK(best_and_baseline({runs[0]}, "") == Pair{0, 0});
  const std::vector<GalleryRun> equal = {{"a", "a", {}, 0.5}, {"b", "b", {}, 0.5}};
  CHECK(best_and_baseline(equal, "") == Pair{1, 0});
}

TEST_CASE("of many runs the best, the worst, the baseline and some between them are shown") {
  std::vector<GalleryRun> runs;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = std::to_string(i);
    runs.push_back({name, name, {}, static_cast<double>((i * 7) % 1000)});  // all values, each once
  }
  CHECK(runs_to_show(runs, "", 1000).size() == 1000);
  for (const std::string baseline : {"", "500", "857"}) {
    CAPTURE(baseline);
    const std::vector<GalleryRun> shown = runs_to_show(runs, baseline, 24);
    CHECK(shown.size() == 24);
    CHECK(std::is_sorted(shown.begin(), shown.end(), [](const GalleryRun& left, const GalleryRun& right) {
      return std::stoi(left.row) < std::stoi(right.row);
    }));
    const auto has = [&](const std::string& row) {
      return std::any_of(shown.begin(), shown.end(), [&](const GalleryRun& run) { return run.row == row; });
    };
    CHECK(has("857"));  // of the value 999
    CHECK(has("0"));
    CHECK((baseline.empty() || has(baseline)));
    const auto [best, against] = best_and_baseline(runs, baseline);
    const auto [best_shown, against_shown] = best_and_baseline(shown, baseline);
    CHECK(shown[best_shown].row == runs[best].row);
    CHECK(shown[against_shown].row == runs[against].row);
  }
  CHECK(runs_to_show({runs[0], runs[1], runs[2], runs[3]}, "1", 3).size() == 3);
}

TEST_CASE("the page of a sweep shows what the best row gained and lost, with the captions of all rows") {
  const SmallSweep sweep;
  const std::string html = sweep.page();
  mentions(html, "3 rows, 1 data set; 2 of 3 runs finished, 1 failed");
  const size_t gained = html.find("<h2>boxes: gained most</h2>");
  const size_t lost = html.find("<h2>boxes: lost most</h2>");
  const size_t random = html.find("<h2>boxes: at random</h2>");
  REQUIRE(gained < lost);
  REQUIRE(lost < random);
  REQUIRE(random != std::string::npos);
  mentions(html.substr(gained, lost - gained), "1.png (CIDEr +7.000)");
  mentions(html.substr(gained, lost - gained), "<p class=\"from\">clip</p><p class=\"caption\">a bat</p>");
  mentions(html.substr(gained, lost - gained), "<p class=\"from\">dino</p><p class=\"caption\">a cat</p>");
  mentions(html.substr(lost, random - lost), "1.png (CIDEr -1.000)");
  CHECK(count(html.substr(gained, random - gained), "<article") == 2);  // the cow stayed as it was
  CHECK(count(html.substr(random), "<article") == 2);
  CHECK(html.find("<p class=\"from\">broken</p>") == std::string::npos);
  CHECK(count(html, "<svg class=\"plot\"") == 1);
  CHECK(html.find("http") == std::string::npos);
}

TEST_CASE("without examples there are no images, with images that cannot be had there is the reason") {
  SmallSweep sweep;
  CHECK(sweep.page(0).find("<article") == std::string::npos);
  std::filesystem::remove(sweep.folders / "1.png");
  mentions(sweep.page(), "1.png: is in none of the folders of dataset.images");
  std::filesystem::remove(sweep.folders / "boxes.jsonl");
  const std::string html = sweep.page();
  mentions(html, "Its images cannot be shown: ");
  mentions(html, "boxes.jsonl");
  CHECK(html.find("<article") == std::string::npos);
}

TEST_CASE("a sweep in which everything failed has a page") {
  SmallSweep sweep;
  for (RunScores& run : sweep.runs) {
    run.finished = false;
    run.failure = "the disk is full";
  }
  fill_table(sweep.table, sweep.runs, {});
  const std::string html = sweep.page();
  mentions(html, "0 of 3 runs finished, 3 failed");
  CHECK(count(html, "the disk is full<") == 3);
  CHECK(html.find("<svg class=\"plot\"") == std::string::npos);
  CHECK(html.find("<article") == std::string::npos);
}

TEST_CASE("no more than two dozen rows say something of an image, and the others are counted") {
  SmallSweep sweep;
  for (int i = 0; i < 30; ++i) {
    const std::string name = "row" + std::to_string(i);
    sweep.add(name, {{"0.0", "a bat", 2 + 0.01 * i}, {"1.0", "a cow", 3}});
    sweep.table.rows.push_back(row_with(name, {}));
  }
  fill_table(sweep.table, sweep.runs, {.resamples = 10});
  const std::string html = sweep.page(1);
  mentions(html, "Of 32 rows 24 are shown, from the best to the worst in equal steps; 8 are left out.");
  const size_t random = html.find("<h2>boxes: at random</h2>");
  REQUIRE(random != std::string::npos);
  CHECK(count(html.substr(random), "<p class=\"from\">") == SweepGallery::kMostAnswers);
  mentions(html.substr(random), "<p class=\"from\">clip</p>");  // the baseline
  mentions(html.substr(random), "<p class=\"from\">dino</p>");  // the best
}

TEST_CASE("a place that one run left out is shown with what the others said") {
  SmallSweep sweep;
  sweep.add("third", {{"0.0", "a bat", 9}, {"1.0", "a cow", 9}, {"1.1", "a hen", 9}, {"0.1", "a fox", 9}});
  sweep.table.rows.push_back(row_with("third", {}));
  fill_table(sweep.table, sweep.runs, {});
  const std::string html = sweep.page(4);
  mentions(html, "left out by this run");
}
