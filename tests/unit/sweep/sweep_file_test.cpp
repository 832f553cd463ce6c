#include "sweep/sweep_file.hpp"

#include <doctest/doctest.h>

#include "refusals.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

struct SweepYaml {
  TestFolder folder;
  Sweep read(const std::string& yaml, const std::vector<std::string>& overrides = {}) const {
    return read_sweep(folder.write("my_sweep.yaml", yaml), overrides);
  }
  /// The refusal, less the folder.
  std::string refusal(const std::string& yaml) const {
    std::string text = refusal_of(ErrorKind::config, [&] { read(yaml); });
    const std::string prefix = folder.path().string() + "/";
    for (size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
      text.erase(at, prefix.size());
    }
    return text;
  }
};

}  // namespace

TEST_CASE("a sweep is rows on data sets") {
  const SweepYaml yaml;
  const Sweep sweep = yaml.read(
      "title: A table\nbase: experiment/emoji\nset: [runtime.batch=4]\n"
      "datasets: [emoji_dense, {name: few, choice: emoji_image, set: [evaluate.limit=3]}]\n"
      "metrics: [CIDEr, map]\nbaseline: one\n"
      "rows:\n"
      "  - {name: one, labels: {Model: A, Size: 7}}\n"
      "  - {name: two, group: G, config: experiment/emoji_clip, set: [aggregator=cls], datasets: [{name: "
      "few, set: [a=1]}]}\n",
      {"b=2"});
  CHECK(sweep.name == "my_sweep");
  CHECK(sweep.title == "A table");
  CHECK(sweep.output == std::filesystem::absolute("runs/sweep/my_sweep").string());
  CHECK(sweep.cache.folder == std::filesystem::absolute("runs/cache").string());
  REQUIRE(sweep.rows.size() == 2);
  CHECK(sweep.rows[0].config == "experiment/emoji");
  CHECK(sweep.rows[0].datasets.size() == 2);
  CHECK(sweep.label_names == std::vector<std::string>{"Model", "Size"});
  // What is nearer to the run counts more: sweep, data set, row, row on this data set, command line.
  CHECK(overrides_of(sweep, sweep.rows[1], sweep.rows[1].datasets[0]) ==
        std::vector<std::string>{"runtime.batch=4", "++score.metrics=[CIDEr,map]", "dataset=emoji_image",
                                 "evaluate.limit=3", "aggregator=cls", "a=1", "b=2"});
  REQUIRE(sweep.columns.size() == 4);
  CHECK(sweep.columns[3].dataset == "few");
  CHECK(sweep.columns[3].metric == "map");
}

TEST_CASE("columns are pairs or maps, with the paper's place") {
  const SweepYaml yaml;
  const Sweep sweep = yaml.read(
      "base: b\ndatasets: [d]\nrows: [{name: r, labels: {L: x}, paper: {Encoder: CLIP}}, {name: s, paper: "
      "T2D}]\n"
      "paper: {table: \"4\", tolerance: 0.5}\n"
      "table:\n  labels: [L]\n  columns:\n    - [d, CIDEr]\n"
      "    - {dataset: d, metric: map, title: mAP, group: Dense, scale: 1, digits: 2, paper: {task: T, "
      "metric: mAP}}\n"
      "    - {dataset: d, metric: METEOR, paper: M}\n");
  CHECK(sweep.paper_table == "4");
  CHECK(sweep.paper_tolerance == 0.5);
  REQUIRE(sweep.columns.size() == 3);
  CHECK_FALSE(sweep.columns[0].paper);
  CHECK(sweep.columns[0].scale == 100);
  CHECK(sweep.columns[1].scale == 1);
  CHECK(sweep.columns[1].digits == 2);
  CHECK(sweep.columns[1].paper->task == "T");
  CHECK(sweep.columns[2].paper->metric == "M");
  CHECK(sweep.rows[0].paper->labels == std::vector<std::pair<std::string, std::string>>{{"Encoder", "CLIP"}});
  CHECK(sweep.rows[1].paper->label == "T2D");
}

TEST_CASE("a grid's rows come before the others") {
  const SweepYaml yaml;
  const Sweep sweep =
      yaml.read("base: b\ndatasets: [d]\ngrid: {gap: [none, memory]}\nrows: [{name: last}]\n");
  REQUIRE(sweep.rows.size() == 3);
  CHECK(sweep.rows[1].name == "memory");
  CHECK(sweep.rows[2].name == "last");
  CHECK(sweep.label_names == std::vector<std::string>{"gap"});
}

TEST_CASE("paths are relative to the file") {
  const SweepYaml yaml;
  const Sweep sweep =
      yaml.read("base: b\ndatasets: [d]\nrows: [{name: r}]\noutput: here\ncache: {folder: there}\n");
  CHECK(sweep.output == (yaml.folder / "here").string());
  CHECK(sweep.cache.folder == (yaml.folder / "there").string());
}

TEST_CASE("what cannot be meant is refused where it stands") {
  const SweepYaml yaml;
  const std::string head = "base: b\ndatasets: [d]\n";
  mentions(yaml.refusal("[]"), "my_sweep.yaml: a sweep is a map with rows or a grid, found list");
  mentions(yaml.refusal(head), "my_sweep.yaml: the sweep has no rows; give a grid of values or rows");
  mentions(yaml.refusal(head + "grid: {a: [1]}\nexclude: [{a: 1}]"),
           "the sweep has no rows (all of its grid is excluded)");
  mentions(yaml.refusal("base: b\nrows: [{name: r}]"), "the sweep names no data set");
  mentions(yaml.refusal("datasets: [d]\nrows: [{name: r}]"), "my_sweep.yaml:2:8: nothing says which config");
  mentions(yaml.refusal(head + "rows: [{name: r}, {name: r}]"),
           "my_sweep.yaml:3:19: two rows are called 'r', the other one at my_sweep.yaml:3:8");
  mentions(yaml.refusal(head + "grid: {gap: [none]}\nrows: [{name: none}]"), "two rows are called 'none'");
  mentions(yaml.refusal("base: b\ndatasets: [d, d]\nrows: [{name: r}]"),
           "my_sweep.yaml:2:15: two data sets are called 'd'");
  mentions(yaml.refusal(head + "rows: [{name: talk2dino}]\nbaseline: talktodino"),
           "my_sweep.yaml:4:1: the baseline 'talktodino' is no row of this sweep; did you mean 'talk2dino'?");
  mentions(yaml.refusal(head + "rows: [{name: r, datasets: [e]}]"), "'e' is no data set of this sweep");
  mentions(yaml.refusal(head + "rows: [{name: r, datasets: [d, d]}]"),
           "the row 'r' names the data set 'd' twice");
  mentions(yaml.refusal(head + "rows: [{name: r, sett: [a=1]}]"), "did you mean 'set'?");
  mentions(yaml.refusal(head + "rows: [{name: r}]\ntable: {columns: [[d]]}"),
           "a column is [dataset, metric]");
  mentions(yaml.refusal(head + "rows: [{name: r}]\ntable: {columns: [[e, CIDEr]]}"), "'e' is no data set");
  mentions(yaml.refusal(head + "rows: [{name: r}]\ntable: {labels: [Model]}"),
           "no row has the label 'Model'");
  mentions(yaml.refusal(head + "rows: [{name: r}]\nexclude: [{a: 1}]"),
           "there is no grid to exclude anything from");
  mentions(yaml.refusal(head + "rows: [{name: r}]\npaper: {table: \"9\"}"),
           "my_sweep.yaml:4:9: 'paper.table' must be one of");
}

TEST_CASE("names become folders that differ as the names do") {
  CHECK(folder_name("CLIP-uniform_1.0") == "CLIP-uniform_1.0");
  CHECK(folder_name("DeCap@224").starts_with("DeCap_224-"));
  CHECK(folder_name("DeCap@224") != folder_name("DeCap 224"));
  CHECK(folder_name("..") != "..");
  CHECK(folder_name(std::string(500, 'x')).size() < 140);
}
