// Files of traces, narratives and records: read again when their image is asked for.
#include "dataset_folder.hpp"
#include "refusals.hpp"

using namespace patchioner;

TEST_CASE("traces come with their captions and times, and may leave the image") {
  DatasetFolder traces(
      R"({"42": {"captions": ["one", "two\nzwei"], "traces": [[{"x": 0.5, "y": -1, "t": 0.25}], [{"x": 0.5, "y": 1}]]}})");
  traces.add("part2.json", R"({"43": {"captions": ["three"], "traces": [[{"x": 0.1, "y": 0.2, "t": 1}]]}})");
  const Dataset dataset = traces.open();
  CHECK(dataset.format() == DatasetFormat::traces);
  CHECK(dataset.task() == DatasetTask::trace);
  CHECK(dataset.region_count() == 3);
  CHECK(dataset.problems().count(ProblemKind::no_time) == 1);
  CHECK(dataset.problems().count(ProblemKind::outside_trace) == 1);
  CHECK(dataset.problems().total() == 1);
  const auto images = traces.images();
  REQUIRE(images.size() == 2);
  CHECK(images[0].file_name == "42.jpg");
  CHECK(std::get<Trace>(images[0].regions[0].shape).points[0].y == -1);
  CHECK(images[0].regions[0].times == std::vector<double>{0.25});
  CHECK(images[0].regions[1].times.empty());
  CHECK(images[0].regions[1].reference_key == "two\nzwei");
  CHECK(images[0].regions[1].references == std::vector<std::string>{"two", "zwei"});
  CHECK(images[1].regions[0].position == 2);
}

TEST_CASE("a pair of caption and trace that is malformed is left out, both times that it is read") {
  const DatasetFolder traces(R"({"9": {"captions": ["a"], "traces": []},
    "8": {"captions": ["bad", "good"], "traces": [[{"x": "left", "y": 0}], [{"x": 0, "y": 0, "t": 0}]]}})");
  const Dataset dataset = traces.open();
  CHECK(dataset.problems().count(ProblemKind::malformed_record) == 2);
  mentions(dataset.problems().examples()[0].what, "has 1 captions and 0 traces");
  mentions(dataset.problems().examples()[1].where, "image 8 (byte 50), trace 1");
  REQUIRE(dataset.size() == 1);
  REQUIRE(dataset.image(0).regions.size() == 1);
  CHECK(dataset.image(0).regions[0].reference_key == "good");
}

TEST_CASE("narratives of one image are together, wherever they stand") {
  const std::string line = R"({"dataset_id": "mscoco_val2017", "image_id": "137576", "annotator_id": 93,
      "caption": "NAME", "timed_caption": [], "traces": [[{"x": 0.2, "y": -0.05, "t": 0.02}], [{"x": 0.6, "y": 0.4, "t": 1.2}]]})";
  const auto narrative = [&](std::string name, const std::string& image) {
    std::string text = line;
    text.replace(text.find("NAME"), 4, name);
    text.replace(text.find("137576"), 6, image);
    std::erase(text, '\n');
    return text + "\n";
  };
  DatasetFolder narratives(narrative("first", "1") + narrative("second", "2") + "{broken\n" +
                           narrative("third", "1"));
  const Dataset dataset = narratives.open();
  CHECK(dataset.format() == DatasetFormat::narratives);
  CHECK(dataset.problems().count(ProblemKind::malformed_record) == 1);
  mentions(dataset.problems().examples()[0].where, "annotations.json:3");
  const auto images = narratives.images();
  REQUIRE(images.size() == 2);
  REQUIRE(images[0].regions.size() == 2);
  CHECK(images[0].regions[1].references == std::vector<std::string>{"third"});
  CHECK(images[0].regions[1].position == 2);
  CHECK(std::get<Trace>(images[0].regions[1].shape).points.size() == 2);
}

TEST_CASE("a file of lines that is cut is refused with the byte") {
  const DatasetFolder cut("{\"image\": \"a.jpg\", \"references\": [\"a\"]}\n{\"image\": \"b.jp");
  mentions(refusal_of(ErrorKind::data, [&] { cut.open(); }),
           ":2: the last line, which begins at byte 40, is no whole JSON; the file is cut");
}

TEST_CASE("records of one's own hold any region with its references") {
  DatasetFolder records(
      "{\"image\": \"a.jpg\", \"id\": 4, \"regions\": [{\"box\": [1,2,3,4], \"references\": [\"a dog\", "
      "\"dog\"]}]}\n"
      "\n{\"image\": \"b.jpg\", \"references\": \"all of b\"}\n"
      "{\"image\": \"a.jpg\", \"id\": 4, \"regions\": [{\"patch\": [0,1], \"id\": \"p\", \"references\": "
      "[\"grass\"]}]}\n"
      "{\"image\": \"c.jpg\", \"regions\": [{\"trace\": [{\"x\":0.5,\"y\":0.5,\"t\":2}], \"references\": "
      "[\"a line\"]}]}\n");
  records.folder.write("a.jpg", "");
  records.folder.write("elsewhere/b.jpg", "");
  Dataset dataset = records.open();
  CHECK(dataset.format() == DatasetFormat::records);
  CHECK(dataset.task() == DatasetTask::regions);
  CHECK(dataset.problems().count(ProblemKind::missing_image) == 2);
  const auto images = records.images();
  REQUIRE(images.size() == 3);
  CHECK(images[0].path == records.folder / "a.jpg");
  REQUIRE(images[0].regions.size() == 2);
  CHECK(images[0].regions[0].references == std::vector<std::string>{"a dog", "dog"});
  CHECK(images[0].regions[1].id == "p");
  CHECK(images[0].regions[1].position == 2);
  CHECK(std::holds_alternative<WholeImage>(images[1].regions[0].shape));
  CHECK(images[1].id == "b.jpg");
  CHECK(images[2].regions[0].times == std::vector<double>{2});
  records.options.image_folders = {records.folder / "elsewhere"};
  dataset = records.open();
  CHECK(dataset.image(0).path == records.folder / "a.jpg");  // beside the file
  CHECK(dataset.image(1).path == records.folder / "elsewhere/b.jpg");
}

TEST_CASE("records of points, or of points and patches, are of the task of patches") {
  const std::string point = R"({"image": "a.jpg", "regions": [{"point": [3,4], "references": ["grass"]}]})";
  const std::string patch = R"({"image": "b.jpg", "regions": [{"patch": [0,1], "references": ["sky"]}]})";
  const std::string box = R"({"image": "c.jpg", "regions": [{"box": [0,1,2,3], "references": ["cat"]}]})";
  const DatasetFolder points(point + "\n");
  CHECK(points.open().task() == DatasetTask::patch);
  CHECK(std::get<ImagePoint>(points.images()[0].regions[0].shape).y == 4);
  CHECK(DatasetFolder(point + "\n" + patch + "\n").open().task() == DatasetTask::patch);
  CHECK(DatasetFolder(point + "\n" + box + "\n").open().task() == DatasetTask::regions);
}

TEST_CASE("a record that says something else is left out and told") {
  const DatasetFolder records(
      "{\"image\": \"a.jpg\", \"regions\": [{\"boxs\": []}]}\n{\"image\": \"a.jpg\", \"reference\": []}\n"
      "{\"image\": \"a.jpg\", \"references\": [\"x\"], \"regions\": []}\n{\"image\": 3}\n"
      "{\"image\": \"b.jpg\", \"regions\": [{\"patch\": [1,1]}]}\n");
  const Dataset dataset = records.open();
  CHECK(dataset.problems().count(ProblemKind::malformed_record) == 4);
  CHECK(dataset.problems().count(ProblemKind::no_reference) == 1);
  CHECK(dataset.task() == DatasetTask::patch);
  mentions(dataset.problems().examples()[1].what, "no key \"reference\"; did you mean 'references'");
}
