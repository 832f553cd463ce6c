// The paper's tables as they ship, and how their cells are named.
#include "results/paper_numbers.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

const std::filesystem::path kConfigs = std::filesystem::path(PATCHIONER_SOURCE_DIR) / "configs";

const PaperTables& shipped() {
  static const PaperTables tables = [] {
    set_config_directory(kConfigs);
    return PaperTables::read(paper_tables_file());
  }();
  return tables;
}

PaperRow labelled(const std::string& label) {
  return {label, {}};
}

std::string refusal(const std::string& table, const PaperRow& row, const PaperColumn& column) {
  try {
    shipped().value(table, row, column);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::config);
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("a cell of every table, as printed") {
  const PaperRow talk2dino = {"", {{"Encoder", "Talk2DINO"}}};
  CHECK(shipped().value("1", talk2dino, {"Trace Captioning (COCO)", "", "C"}) == 27.9);
  CHECK(shipped().value("1", talk2dino, {"Image Captioning (COCO)", "", "CLIP-S"}) == 72.8);
  CHECK(shipped().value("1", {"", {{"Encoder", "ProxyCLIP"}, {"Backbone", "DINO B/8 + CLIP B/16"}}},
                        {"Dense Captioning (VG v1.2)", "", "P"}) == 76.0);
  CHECK(shipped().value("2", labelled("T2D + Mem. (DeCap)"), {"Dense Captioning", "VG-COCO", "mAP"}) ==
        21.53);
  CHECK(shipped().value("2", labelled("MeaCap†"), {"Trace Captioning", "Flickr30k", "C"}) == 12.6);
  CHECK(shipped().value("2", labelled("T2D + Noise + Ext"), {"Image Captioning", "COCO", "CLIP-S"}) == 73.7);
  CHECK(shipped().value("2", labelled("ZeroCap"), {"Image Captioning", "COCO", "P"}) == std::nullopt);
  const PaperRow memory = {
      "", {{"Model", "T2D + Mem. (DeCap) @518"}, {"Input", "Patches"}, {"Weighting", "uniform"}}};
  CHECK(shipped().value("3", memory, {"", "", "S"}) == 12.6);
  CHECK(shipped().value("4", memory, {"", "", "mAP"}) == 0.21);
  CHECK(shipped().value("5", memory, {"", "", "C"}) == 109.1);
  CHECK(shipped().value("6", memory, {"", "", "B"}) == 19.52);
  CHECK(shipped().value("7", labelled("no mitig."), {"Dense Captioning (VG v1.2)", "", "mAP"}) == 0.18);
  CHECK(shipped().value("7", labelled("Noise"), {"Trace Captioning (COCO)", "", "M"}) == 11.5);
  CHECK(shipped().value("7", labelled("Memory"), {"Image Captioning (COCO)", "", "CLIP-S"}) == 72.8);
}

TEST_CASE("the shipped tables: every cell can be named, and rows that are in several tables agree") {
  const auto json = nlohmann::ordered_json::parse(read_file(kConfigs / "paper/tables.json"));
  size_t cells = 0;
  size_t dashes = 0;
  for (const auto& table : json.at("tables")) {
    for (const auto& row : table.at("rows")) {
      PaperRow names;
      names.label = row.value("label", "");
      if (row.contains("labels")) {
        for (const auto& [key, label] : row.at("labels").items()) {
          names.labels.emplace_back(key, label.template get<std::string>());
        }
      }
      // Labels as nobody would write them are left over from how the text was taken out of the page.
      CHECK(row.dump().find("( ") == std::string::npos);
      for (const auto& cell : row.at("cells")) {
        const PaperColumn column = {cell.value("task", ""), cell.value("dataset", ""), cell.at("metric")};
        const auto value = shipped().value(table.at("table"), names, column);
        CHECK(value.has_value() == cell.at("value").is_number());
        ++cells;
        dashes += value ? 0 : 1;
      }
    }
  }
  CHECK(cells - dashes == 704);
  CHECK(dashes == 118);
  // The strongest model stands in tables 1, 2, 5, 6 and 7, rounded differently.
  const PaperRow model = {"", {{"Model", "T2D + Mem. (DeCap) @518"}, {"Weighting", "uniform"}}};
  CHECK(shipped().value("2", labelled("T2D + Mem."), {"Region-Set Captioning", "COCO Entities", "C"}) ==
        shipped().value("5", model, {"", "", "C"}));
  CHECK(*shipped().value("7", labelled("Memory"), {"Image Captioning (COCO)", "", "C"}) ==
        doctest::Approx(*shipped().value("6", model, {"", "", "C"})).epsilon(0.001));
}

TEST_CASE("what names no cell, or several, is refused with those that are near") {
  const PaperColumn cider = {"Trace Captioning (COCO)", "", "C"};
  CHECK(refusal("9", labelled("Memory"), cider) == "the paper has no table '9'; it has 1, 2, 3, 4, 5, 6, 7");
  CHECK(refusal("7", labelled("Memori"), cider) ==
        "the paper's table 7 has no row 'Memori'; did you mean 'Memory'?");
  CHECK(refusal("2", labelled("T2D + Noise"), cider)
            .find("row 'T2D + Noise' of the paper's table 2 could be 'T2D + Noise (CLOSE, CapDec)', 'T2D + "
                  "Noise + ") == 0);
  CHECK(refusal("1", {"", {{"Encoder", "Talk2Dino"}}}, cider) ==
        "the paper's table 1 has no such row with the Encoder 'Talk2Dino'; did you mean 'Talk2DINO'?");
  CHECK(refusal("1", {"", {{"Encodr", "Talk2DINO"}}}, cider) ==
        "the paper's table 1 has no label 'Encodr'; did you mean 'Encoder'?");
  CHECK(refusal("1", {"", {{"Encoder", "ProxyCLIP"}}}, cider) ==
        "the row of the paper's table 1 could be 'ProxyCLIP, DINO B/8 + CLIP B/16', 'ProxyCLIP, DINOv2 B/14 "
        "+ CLIP B/16'; "
        "name more of it");
  CHECK(refusal("7", labelled("Memory"), {"Trace Captioning (COCO)", "", "D"})
            .find("the paper's table 7 has no such column of the metric 'D'") == 0);
  CHECK(refusal("7", labelled("Memory"), {"Trace Captioning (Coco)", "", "C"}) ==
        "the paper's table 7 has no such column of the task 'Trace Captioning (Coco)'; did you mean 'Trace "
        "Captioning "
        "(COCO)'?");
  CHECK(refusal("7", labelled("Memory"), {"", "", "C"})
            .find("the column of the paper's table 7 could be 'Trace") == 0);
}

TEST_CASE("a damaged file of tables is refused with the place") {
  const TestFolder folder;
  const auto refused = [&](const std::string& content, const std::string& expected) {
    const std::filesystem::path file = folder.write("tables.json", content);
    try {
      PaperTables::read(file);
      FAIL("it was read");
    } catch (const Error& error) {
      INFO(error.what());
      CHECK(error.kind() == ErrorKind::data);
      CHECK(std::string(error.what()).find(file.string() + ": " + expected) == 0);
    }
  };
  refused("{\"tables\": [", "the document of the paper's numbers cannot be read");
  refused("{}", "\"tables\" of the paper's numbers");
  refused(
      R"({"tables": [{"table": "1", "rows": [{"label": "x", "cells": [{"metric": "C", "value": "27"}]}]}]})",
      "table 1, row 1 of the paper's numbers");
  CHECK_THROWS_AS(PaperTables::read(folder / "none.json"), Error);
}

TEST_CASE("a program without the tables says where they should be") {
  const TestFolder folder;
  set_config_directory(folder.path());
  CHECK_THROWS_WITH_AS(paper_tables_file(), doctest::Contains((folder.path() / "paper/tables.json").c_str()),
                       Error);
  set_config_directory(kConfigs);
}

TEST_CASE("the paper's numbers beside ours, as far as rows and columns have a place in it") {
  ResultTable table;
  table.columns = {{.dataset = "traces",
                    .metric = "CIDEr",
                    .title = "",
                    .group = "",
                    .paper = PaperColumn{"Trace Captioning (COCO)", "", "C"}},
                   {.dataset = "traces", .metric = "ROUGE_L", .title = "", .group = "", .paper = {}},
                   {.dataset = "boxes",
                    .metric = "map",
                    .title = "mAP",
                    .group = "",
                    .scale = 1,
                    .digits = 2,
                    .paper = PaperColumn{"Dense Captioning (VG v1.2)", "", "mAP"},
                    .tolerance = 0.01}};
  table.rows.resize(3);
  for (TableRow& row : table.rows) {
    row.cells.resize(3);
    row.cells[0].value = 0.28;
    row.cells[1].value = 0.28;
  }
  table.rows[0].cells[2].value = 0.214;
  add_paper_numbers(table, shipped(), "7", {labelled("Memory"), labelled("Noise"), std::nullopt}, 0.1);
  CHECK(table.tolerance == 0.1);
  CHECK(table.rows[0].cells[0].paper == 27.9);
  CHECK_FALSE(table.rows[0].cells[0].outside_tolerance);  // 28.0 is just as far as it may be
  CHECK(table.rows[0].cells[1].paper == std::nullopt);
  CHECK(table.rows[0].cells[2].paper == 0.21);
  CHECK(table.rows[1].cells[0].paper == 29.3);
  CHECK(table.rows[1].cells[0].outside_tolerance);
  CHECK(table.rows[1].cells[2].paper == 0.20);  // though ours was not run
  CHECK_FALSE(table.rows[1].cells[2].outside_tolerance);
  CHECK(table.rows[2].cells[0].paper == std::nullopt);
  CHECK(table.notes ==
        std::vector<std::string>{"1 of 3 cells lie further than 0.1, 0.01 of mAP from the paper's"});
  CHECK_THROWS_AS(add_paper_numbers(table, shipped(), "7", {labelled("x"), std::nullopt, std::nullopt}, 0.1),
                  Error);
}
