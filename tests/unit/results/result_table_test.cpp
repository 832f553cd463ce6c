// Tables filled from folders of results: values, failures, forms of metrics, intervals, differences.
#include "results/result_table.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <patchioner/error.hpp>

#include "results/map_bootstrap.hpp"
#include "test_folder.hpp"
#include "unit/results/dense_lines.hpp"

using namespace patchioner;

namespace {

constexpr size_t kItems = 40;

/// Item i's CIDEr in a row: the rows differ by little, items by much.
double cider_of(size_t item, double better) {
  return static_cast<double>(item % 7) + better + 0.01 * static_cast<double>(item % 3);
}

/// A finished run of `count` items whose places begin at `first`.
RunScores run_with(const TestFolder& folder, const std::string& row, const std::string& dataset,
                   double better, size_t first = 0, size_t count = kItems) {
  RunScores run;
  run.row = row;
  run.dataset = dataset;
  run.folder = folder.path() / row / dataset;
  run.finished = true;
  std::string lines;
  double sum = 0;
  for (size_t item = first; item < first + count; ++item) {
    lines += fmt::format("{{\"place\": \"{}.0\", \"CIDEr\": {}, \"METEOR(no-paraphrase)\": 0.5}}\n", item,
                         cider_of(item, better));
    sum += cider_of(item, better);
  }
  folder.write(row + "/" + dataset + "/items.jsonl", lines);
  run.metrics = {{"map(no-paraphrase)", 0.4},
                 {"CIDEr", 2 * sum / static_cast<double>(count)},
                 {"METEOR(no-paraphrase)", 0.5}};
  return run;
}

/// A finished run of dense captions, whose lines give its mAP.
RunScores dense_run(const TestFolder& folder, const std::string& row, const std::vector<ScoredItem>& items,
                    const std::string& map = "map(no-paraphrase)") {
  RunScores run;
  run.row = row;
  run.dataset = "boxes";
  run.folder = folder.path() / row / "boxes";
  run.finished = true;
  folder.write(row + "/boxes/items.jsonl", dense_text(items));
  DetectionLines lines;
  for (const ScoredItem& item : items) {
    lines.add(item);
  }
  const MapBootstrap maps(lines, DenseVariant::python, 0, 0);
  run.metrics = {{map, maps.value(map)}, {"detmap", maps.value("detmap")}};
  return run;
}

TableColumn column(const std::string& metric, const std::string& dataset = "boxes") {
  return {.dataset = dataset, .metric = metric, .title = "", .group = "", .paper = {}};
}

ResultTable table_of(const std::vector<std::string>& rows, std::vector<TableColumn> columns,
                     const std::string& baseline = "") {
  ResultTable table;
  table.columns = std::move(columns);
  table.baseline = baseline;
  for (const std::string& name : rows) {
    table.rows.push_back({.name = name, .group = "", .labels = {}, .cells = {}});
  }
  return table;
}

std::string refusal(ResultTable table, const std::vector<RunScores>& runs) {
  try {
    fill_table(table, runs, {});
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("values, failures and what was not run") {
  const TestFolder folder;
  RunScores failed;
  failed.row = "b";
  failed.dataset = "boxes";
  failed.failure = "the image 7.jpg is broken";
  failed.log = "runs/b/log.txt";
  RunScores pending;
  pending.row = "c";
  pending.dataset = "boxes";
  ResultTable table = table_of({"a", "b", "c", "d"},
                               {column("CIDEr"), column("map(no-paraphrase)"), column("CIDEr", "images")});
  fill_table(table, {run_with(folder, "a", "boxes", 0), failed, pending}, {});
  REQUIRE(table.rows[0].cells.size() == 3);
  CHECK(table.rows[0].cells[0].metric == "CIDEr");
  CHECK(*table.rows[0].cells[1].value == 0.4);
  CHECK_FALSE(table.rows[0].cells[2].value);
  CHECK(table.rows[1].cells[0].failure == "the image 7.jpg is broken");
  CHECK(table.rows[1].cells[1].log == "runs/b/log.txt");
  CHECK(table.rows[1].cells[2].failure.empty());
  CHECK(table.rows[2].cells[0].failure.empty());
  CHECK_FALSE(table.rows[2].cells[0].value);
  CHECK_FALSE(table.rows[3].cells[0].value);
  CHECK_FALSE(table.rows[0].cells[1].interval);  // its lines are of no detections
  CHECK(table.notes ==
        std::vector<std::string>{
            "no intervals of mAP of a on boxes: items.jsonl does not say all that mAP needs of "
            "each detection, as those of earlier versions do not (boxes_of_image); evaluate "
            "again"});
}

TEST_CASE("a metric that there is only in another form is taken and noted") {
  const TestFolder folder;
  RunScores whole = run_with(folder, "b", "boxes", 0);
  whole.metrics = {{"METEOR", 0.3}, {"map", 0.2}};
  const std::vector<RunScores> runs = {run_with(folder, "a", "boxes", 0), run_with(folder, "a", "images", 0)};
  ResultTable table =
      table_of({"a"}, {column("METEOR"), column("METEOR", "images"), column("METEOR(no-paraphrase)")});
  fill_table(table, runs, {.intervals = false});
  CHECK(table.rows[0].cells[0].metric == "METEOR(no-paraphrase)");
  CHECK(table.notes == std::vector<std::string>{
                           "METEOR is METEOR(no-paraphrase) here: such values compare only with each other"});

  ResultTable mixed = table_of({"a", "b"}, {column("METEOR")}, "b");
  fill_table(mixed, {runs[0], whole}, {});
  CHECK(mixed.notes == std::vector<std::string>{
                           "METEOR is METEOR(no-paraphrase) of a: such values compare only with each other"});
  CHECK(mixed.rows[0].cells[0].interval);
  CHECK_FALSE(mixed.rows[0].cells[0].against_baseline);
}

TEST_CASE("a column that no run has stays empty, and a note says which there are") {
  const TestFolder folder;
  const RunScores run = run_with(folder, "a", "boxes", 0);
  ResultTable table = table_of({"a", "b"}, {column("CIDER"), column("CIDEr"), column("CIDER")}, "a");
  fill_table(table, {run}, {});
  CHECK_FALSE(table.rows[0].cells[0].value);
  CHECK(table.rows[0].cells[0].failure.empty());
  CHECK(table.rows[0].cells[1].value);
  CHECK(table.notes ==
        std::vector<std::string>{
            "no run on 'boxes' has CIDER; there are map(no-paraphrase), CIDEr, METEOR(no-paraphrase)"});
  CHECK(best_cells(table)[0] == std::vector<bool>{false, false, false});

  // Of what was not run there is nothing to say.
  ResultTable other = table_of({"a"}, {column("accuracy", "images")});
  fill_table(other, {run}, {});
  CHECK(other.notes.empty());
}

TEST_CASE("a baseline that is no row is refused") {
  CHECK(refusal(table_of({"clip"}, {column("CIDEr")}, "clipp"), {}) ==
        "the baseline 'clipp' is no row of the table; did you mean 'clip'?");
}

TEST_CASE("intervals lie around the metric of the corpus; differences are of items with the same place") {
  const TestFolder folder;
  const std::vector<RunScores> runs = {run_with(folder, "base", "boxes", 0),
                                       run_with(folder, "better", "boxes", 0.5)};
  ResultTable table =
      table_of({"better", "base"}, {column("CIDEr"), column("map"), column("METEOR")}, "base");
  fill_table(table, runs, {});
  CHECK(table.rows[1].is_baseline);
  CHECK_FALSE(table.rows[0].is_baseline);
  const TableCell& cell = table.rows[0].cells[0];
  REQUIRE(cell.interval);
  CHECK(cell.interval->low < *cell.value);
  CHECK(cell.interval->high > *cell.value);
  REQUIRE(cell.against_baseline);
  CHECK(cell.against_baseline->delta == doctest::Approx(0.5));
  CHECK(cell.against_baseline->wins == kItems);
  CHECK(cell.against_baseline->p_value == 1.0 / 2000);
  // The same draws for both rows: intervals of one width.
  const TableCell& base = table.rows[1].cells[0];
  CHECK(base.interval->high - base.interval->low ==
        doctest::Approx(cell.interval->high - cell.interval->low));
  CHECK_FALSE(base.against_baseline);
  CHECK_FALSE(table.rows[0].cells[1].interval);
  CHECK_FALSE(table.rows[0].cells[1].against_baseline);
  CHECK(table.rows[0].cells[2].against_baseline->ties == kItems);
  CHECK(table.rows[0].cells[2].against_baseline->p_value == 1);

  ResultTable without = table_of({"better", "base"}, {column("CIDEr")}, "base");
  fill_table(without, runs, {.intervals = false});
  CHECK_FALSE(without.rows[0].cells[0].interval);
  CHECK_FALSE(without.rows[0].cells[0].against_baseline);
}

TEST_CASE("mAP has intervals and differences of images that are drawn, in all its forms") {
  const TestFolder folder;
  const std::vector<RunScores> runs = {dense_run(folder, "base", dense_items_of(60, 1)),
                                       dense_run(folder, "better", dense_items_of(60, 2, 0.1)),
                                       dense_run(folder, "whole", dense_items_of(60, 3), "map")};
  ResultTable table = table_of({"base", "better", "whole"}, {column("map"), column("detmap")}, "base");
  fill_table(table, runs, {});
  for (size_t row = 0; row < 3; ++row) {
    const TableCell& map = table.rows[row].cells[0];
    REQUIRE(map.interval);
    CHECK(map.interval->low < *map.value);
    CHECK(map.interval->high > *map.value);
  }
  const PairedDifference& better = *table.rows[1].cells[0].against_baseline;
  CHECK(better.delta == doctest::Approx(*table.rows[1].cells[0].value - *table.rows[0].cells[0].value));
  CHECK(better.interval.low > 0);
  CHECK(better.p_value < 0.05);
  // Every true box is a detection here.
  CHECK(table.rows[1].cells[1].interval->low == doctest::Approx(1));
  CHECK(table.rows[1].cells[1].against_baseline->p_value == 1);
  CHECK_FALSE(table.rows[0].cells[0].against_baseline);
  // With all of METEOR's data it is another metric than without.
  CHECK_FALSE(table.rows[2].cells[0].against_baseline);
  CHECK(table.rows[2].cells[1].against_baseline);
}

TEST_CASE("lines that do not come to a run's mAP give it no interval, nor the others a difference to it") {
  const TestFolder folder;
  std::vector<RunScores> runs = {dense_run(folder, "base", dense_items_of(20, 1)),
                                 dense_run(folder, "row", dense_items_of(20, 2)),
                                 dense_run(folder, "missed", dense_items_of(20, 3))};
  runs[0].metrics[0].value = 0.75;
  runs[2].boxes = 1000;
  ResultTable table = table_of({"base", "row", "missed"}, {column("map")}, "base");
  fill_table(table, runs, {});
  CHECK_FALSE(table.rows[0].cells[0].interval);
  CHECK(table.rows[1].cells[0].interval);
  CHECK_FALSE(table.rows[1].cells[0].against_baseline);
  CHECK_FALSE(table.rows[2].cells[0].interval);
  REQUIRE(table.notes.size() == 3);
  CHECK(table.notes[1].starts_with("no intervals of mAP of base on boxes: the lines of items.jsonl come to"));
  CHECK(table.notes[2].starts_with("no intervals of mAP of missed on boxes: "));
}

TEST_CASE("where less is better, less wins") {
  const TestFolder folder;
  ResultTable table = table_of({"base", "more"}, {column("CIDEr")}, "base");
  table.columns[0].higher_is_better = false;
  fill_table(table, {run_with(folder, "base", "boxes", 0), run_with(folder, "more", "boxes", 1)}, {});
  CHECK(table.rows[1].cells[0].against_baseline->losses == kItems);
  CHECK(table.rows[1].cells[0].against_baseline->wins == 0);
  CHECK(table.rows[1].cells[0].against_baseline->delta == doctest::Approx(1));
  CHECK(best_cells(table) == std::vector<std::vector<bool>>{{true}, {false}});
}

TEST_CASE("runs that share some items, or none, or have no items") {
  const TestFolder folder;
  std::vector<RunScores> runs = {
      run_with(folder, "base", "boxes", 0), run_with(folder, "part", "boxes", 1, 10),
      run_with(folder, "other", "boxes", 1, 1000), run_with(folder, "bare", "boxes", 1)};
  std::filesystem::remove(runs[3].folder / "items.jsonl");
  ResultTable table = table_of({"base", "part", "other", "bare"}, {column("CIDEr")}, "base");
  fill_table(table, runs, {});
  CHECK(table.rows[1].cells[0].against_baseline->wins == 30);
  CHECK(table.rows[1].cells[0].against_baseline->delta == doctest::Approx(1));
  CHECK_FALSE(table.rows[2].cells[0].against_baseline);
  CHECK(table.rows[2].cells[0].interval);
  CHECK_FALSE(table.rows[3].cells[0].interval);
  CHECK(table.notes ==
        std::vector<std::string>{
            "no intervals of bare on boxes: no items.jsonl lies in their folders",
            "differences of part to base on boxes are of the 30 items that both have, of 40 and 40",
            "differences of other to base on boxes are of the 0 items that both have, of 40 and 40"});
}

TEST_CASE("the best of a column: ties as they are shown, all of them; nothing beside an only value") {
  ResultTable table = table_of({"a", "b", "c", "d"}, {column("x"), column("y"), column("z")});
  for (TableRow& row : table.rows) {
    row.cells.resize(3);
  }
  table.rows[0].cells[0].value = 0.27851;
  table.rows[1].cells[0].value = 0.27949;
  table.rows[2].cells[0].value = 0.278;
  table.rows[3].cells[0].value = std::nan("");
  table.rows[0].cells[1].value = 0.5;
  table.rows[1].cells[2].value = -0.1;
  table.rows[2].cells[2].value = -0.3;
  const std::vector<std::vector<bool>> best = best_cells(table);
  CHECK(best[0] == std::vector<bool>{true, false, false});
  CHECK(best[1] == std::vector<bool>{true, false, true});
  CHECK(best[2] == std::vector<bool>{false, false, false});
  CHECK(best[3] == std::vector<bool>{false, false, false});
}
