// A sweep of ten thousand rows: all that is written of it, from runs whose folders hold nothing.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "refusals.hpp"
#include "results/run_records.hpp"
#include "results/sweep_page.hpp"
#include "results/table_layout.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"
#include "text_search.hpp"

using namespace patchioner;

namespace {

constexpr size_t kRows = 10'000;
constexpr size_t kBest = 7'321;
constexpr size_t kFailed = 4'000;

/// Rows of two factors, of 20 values and of 500; all but one have finished, half of them without paraphrases.
struct ManyRows {
  ResultTable table;
  std::vector<RunScores> runs;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> factors;

  explicit ManyRows(const std::filesystem::path& folder) {
    table.name = "many";
    table.label_names = {"Gap", "Seed"};
    table.baseline = "row0";
    table.columns = {{.dataset = "boxes", .metric = "CIDEr", .title = "", .group = "", .paper = {}},
                     {.dataset = "boxes", .metric = "METEOR", .title = "", .group = "", .paper = {}},
                     {.dataset = "boxes", .metric = "SPICE", .title = "", .group = "", .paper = {}}};
    for (size_t i = 0; i < kRows; ++i) {
      TableRow& row = table.rows.emplace_back();
      row.name = fmt::format("row{}", i);
      row.group = fmt::format("group {}", i / 2);
      row.labels = {{"Gap", fmt::format("gap{}", i % 20)}, {"Seed", std::to_string(i / 20)}};
      factors[row.name] = row.labels;
      RunScores& run = runs.emplace_back();
      run.row = row.name;
      run.dataset = "boxes";
      run.folder = folder / row.name / "boxes";
      run.finished = i != kFailed;
      if (!run.finished) {
        run.failure = "the weights are not there";
        continue;
      }
      run.metrics = {{"CIDEr", i == kBest ? 0.9 : 0.1 + 1e-5 * static_cast<double>(i % 5000)},
                     {i % 2 == 0 ? "METEOR" : "METEOR(no-paraphrase)", 0.25}};
      run.seconds = 1 + static_cast<double>(i);
      run.images = 2;
    }
    fill_table(table, runs, {});
  }
};

/// The line that has the text, of which there is one.
std::string line_with(const std::string& text, const std::string& part) {
  REQUIRE(count(text, part) == 1);
  const size_t at = text.find(part);
  const size_t begin = text.rfind('\n', at) + 1;
  return text.substr(begin, text.find('\n', at) - begin);
}

}  // namespace

TEST_CASE("ten thousand rows have a table in all forms") {
  const TestFolder folder;
  const ManyRows sweep(folder.path() / "runs");
  const ResultTable& table = sweep.table;
  CHECK(*table.rows[kBest].cells[0].value == 0.9);
  CHECK(table.rows[kFailed].cells[1].failure == "the weights are not there");
  REQUIRE(table.notes.size() == 3);
  CHECK(table.notes[0] == "no run on 'boxes' has SPICE; there are CIDEr, METEOR, METEOR(no-paraphrase)");
  CHECK(table.notes[1] ==
        "METEOR is METEOR(no-paraphrase) of gap1, 0, gap3, 0, gap5, 0, gap7, 0, gap9, 0 and 4995 more: such "
        "values compare only with each other");
  CHECK(table.notes[2] ==
        "no intervals of gap0, 0 on boxes, gap1, 0 on boxes, gap2, 0 on boxes, gap3, 0 on boxes, gap4, 0 on "
        "boxes and 9994 more: no items.jsonl lies in their folders");

  const std::string text = table_text(table);
  CHECK(line_with(text, "gap1   366 ").find(" 90.0*") != std::string::npos);
  CHECK(count(text, "\ngroup ") == kRows / 2);
  mentions(text, "failed: gap0, 200 on boxes: the weights are not there\n");
  const std::string csv = table_csv(table);
  CHECK(count(csv, "\n") == kRows + 1);
  mentions(csv, "\nrow7321,group 3660,gap1,366,0.9,0.25,METEOR(no-paraphrase),,\n");
  mentions(csv, "\nrow4000,group 2000,gap0,200,,,,,boxes: the weights are not there\n");
  const std::string markdown = table_markdown(table);
  CHECK(count(markdown, "**90.0**") == 1);
  CHECK(count(markdown, "\n| *group ") == kRows / 2);
  const std::string latex = table_latex(table, true);
  CHECK(count(latex, "\\midrule") == kRows / 2);
  CHECK(count(latex, "\ngap1 & 366 & \\textbf{90.0} & \\textbf{25.0} & -- \\\\") == 1);
}

TEST_CASE("ten thousand rows have records and a page") {
  const TestFolder folder;
  const ManyRows sweep(folder.path() / "runs");
  write_run_records(sweep.table, sweep.runs, folder.path());
  const std::string records = read_file(folder / "records.jsonl");
  CHECK(count(records, "\n") == kRows);
  const nlohmann::json record = nlohmann::json::parse(line_with(records, "\"run\":\"row7321/boxes\""));
  CHECK(record["tags"]["Seed"] == "366");
  CHECK(record["metrics"]["CIDEr"] == 0.9);
  CHECK(std::filesystem::exists(folder / "events/row7321/boxes"));
  CHECK_FALSE(std::filesystem::exists(folder / "events/row4000"));

  write_sweep_page({.table = sweep.table, .runs = sweep.runs, .factors = sweep.factors},
                   folder / "index.html");
  const std::string html = read_file(folder / "index.html");
  mentions(html, "10000 rows, 1 data set; 9999 of 10000 runs finished, 1 failed");
  CHECK(count(html, "<td class=\"best\">90.0") == 1);
  CHECK(count(html, "<svg class=\"plot\"") == 2);  // by gap, and over cost
  mentions(html, "There is no plot by Seed, which has 500 values; at most 20 are drawn.");
  CHECK(count(html, "<circle") == 2 * (kRows - 1));
  // Of values that rise with the cost none is beaten; from row 5000 on they begin again.
  CHECK(count(html, "class=\"dot beaten\"") == 4'999);
  mentions(html, "Its images cannot be shown: ");
}
