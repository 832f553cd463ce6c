#include "results/run_records.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "refusals.hpp"
#include "report/event_file.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

using Json = nlohmann::ordered_json;

RunScores finished_run(const TestFolder& folder, const std::string& row, const std::string& dataset) {
  folder.write("runs/" + row + "/" + dataset + "/config.yaml",
               "gap: [{plugin: memory, temperature: 0.01}]\n");
  RunScores run;
  run.row = row;
  run.dataset = dataset;
  run.folder = folder / ("runs/" + row + "/" + dataset);
  run.finished = true;
  run.metrics = {
      {"CIDEr", 0.75}, {"METEOR(exact-stem)", 0.25}, {"SPICE", std::numeric_limits<double>::quiet_NaN()}};
  run.seconds = 3.5;
  run.images = 2;
  run.regions = 4;
  return run;
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(folder, absent)) {
    files.push_back(entry.path());
  }
  return files;
}

ResultTable small_sweep() {
  ResultTable table;
  table.name = "gaps";
  TableRow& row = table.rows.emplace_back();
  row.name = "memory";
  row.group = "ours";
  row.labels = {{"Gap (kind)", "memory"}, {"sweep", "not the sweep"}};
  return table;
}

}  // namespace

TEST_CASE("a config is flattened to its scalars, with their types") {
  const Json params =
      flat_params(parse_yaml("{backbone: {plugin: clip, weights: '', text: null}, gap: [{std: 0.5}, {on: "
                             "true}], score: {metrics: []}, "
                             "dataset: {files: [a.json, b.json]}, batch: 8}",
                             "config"));
  CHECK(
      params.dump() ==
      R"({"backbone.plugin":"clip","backbone.weights":"","backbone.text":null,"gap.0.std":0.5,"gap.1.on":true,)"
      R"("dataset.files.0":"a.json","dataset.files.1":"b.json","batch":8})");
}

TEST_CASE("names are such as trackers take") {
  CHECK(tracker_name("METEOR(no-paraphrase)") == "METEOR.no-paraphrase");
  CHECK(tracker_name("emoji_dense/Bleu_4") == "emoji_dense/Bleu_4");
  CHECK(tracker_name("p@1, 50 %") == "p_1_ 50 _");
}

TEST_CASE("a record has what trackers call params, metrics and tags") {
  const TestFolder folder;
  const RunScores run = finished_run(folder, "memory", "boxes");
  const ResultTable table = small_sweep();
  const Json record = run_record(run, table, &table.rows.front());
  CHECK(record["run"] == "memory/boxes");
  CHECK(record["status"] == "FINISHED");
  CHECK(record["params"] == Json({{"gap.0.plugin", "memory"}, {"gap.0.temperature", 0.01}}));
  CHECK(record["metrics"] == Json({{"CIDEr", 0.75}, {"METEOR.exact-stem", 0.25}}));
  CHECK(
      record["tags"] ==
      Json(
          {{"sweep", "gaps"}, {"group", "ours"}, {"Gap .kind", "memory"}, {"label.sweep", "not the sweep"}}));
  CHECK(record["seconds"] == 3.5);
  CHECK(record["images"] == 2);
  CHECK(record["regions"] == 4);
  CHECK(record["folder"] == run.folder.string());
  CHECK_FALSE(record.contains("failure"));
}

TEST_CASE("failed and pending runs have records too") {
  RunScores run;
  run.row = "memory";
  run.dataset = "boxes";
  run.folder = "/no/such/folder";
  CHECK(run_record(run, small_sweep(), nullptr)["status"] == "SCHEDULED");
  run.failure = "the weights are not there";
  run.log = "log.txt";
  const Json record = run_record(run, small_sweep(), nullptr);
  CHECK(record["status"] == "FAILED");
  CHECK(record["tags"] == Json({{"sweep", "gaps"}}));
  CHECK(record["failure"] == "the weights are not there");
  CHECK(record["log"] == "log.txt");
  CHECK(record["params"] == Json::object());
  CHECK(record["metrics"] == Json::object());
}

TEST_CASE("a second writing replaces the events of a run") {
  const TestFolder folder;
  std::vector<RunScores> runs = {finished_run(folder, "memory", "boxes"),
                                 finished_run(folder, "none", "boxes")};
  const auto events = folder / "out/events/memory/boxes";
  folder.write("out/events/memory/boxes/events.out.tfevents.1.host.1", "older");
  folder.write("out/events/memory/boxes/notes.txt", "mine");
  write_run_records(small_sweep(), runs, folder / "out");
  REQUIRE(files_in(events).size() == 2);
  CHECK(std::filesystem::exists(events / "notes.txt"));
  CHECK_FALSE(std::filesystem::exists(events / "events.out.tfevents.1.host.1"));
  CHECK(files_in(folder / "out/events/none/boxes").size() == 1);
  std::filesystem::remove(events / "notes.txt");
  const std::string written = read_file(files_in(events).front());
  // Summary.Value with the tag and the value as a little-endian float.
  mentions(written, std::string("\x0a\x0b") + "boxes/CIDEr" + std::string("\x15\0\0\x40\x3f", 5));
  mentions(written, "boxes/METEOR.exact-stem");
  CHECK(written.find("SPICE") == std::string::npos);

  std::string lines = read_file(folder / "out/records.jsonl");
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 2);
  CHECK(Json::parse(lines.substr(0, lines.find('\n')))["row"] == "memory");
  CHECK(Json::parse(lines.substr(0, lines.find('\n')))["tags"]["group"] == "ours");
  CHECK_FALSE(Json::parse(lines.substr(lines.find('\n') + 1))["tags"].contains("group"));

  runs[0].finished = false;
  runs[0].failure = "interrupted";
  write_run_records(small_sweep(), runs, folder / "out");
  CHECK(files_in(events).empty());
  CHECK(files_in(folder / "out/events/none/boxes").size() == 1);
  lines = read_file(folder / "out/records.jsonl");
  CHECK(Json::parse(lines.substr(0, lines.find('\n')))["status"] == "FAILED");
}

TEST_CASE("two runs never share a folder of events") {
  const TestFolder folder;
  RunScores a = finished_run(folder, "memory", "boxes");
  RunScores b = a;
  b.folder = folder / "other/memory/boxes/";
  mentions(refusal_of(ErrorKind::usage,
                      [&] {
                        write_run_records(small_sweep(), {a, b}, folder / "out");
                      }),
           "would both have their events in memory/boxes");
}
