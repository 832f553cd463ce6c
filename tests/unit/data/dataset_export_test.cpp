#include "data/dataset_export.hpp"

#include "data/dataset_stats.hpp"
#include "dataset_folder.hpp"
#include "refusals.hpp"
#include "support/files.hpp"

using namespace patchioner;

namespace {

/// The data set written by `write` and read again, as JSON of all that matters.
template <class Write>
nlohmann::ordered_json read_back(const DatasetFolder& source, Write&& write) {
  DatasetFolder written;
  write(source.open(), written.folder / "out.json");
  written.options.files = {written.folder / "out.json"};
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const DatasetImage& image : written.images()) {
    for (const DatasetRegion& region : image.regions) {
      all.push_back({image.id, region.references, region.corners, region.times, kind_name(region.shape)});
    }
  }
  return all;
}

}  // namespace

TEST_CASE("what is written for a task is read again as it was") {
  const std::vector<std::string> files = {
      R"({"images": [{"id": 7, "file_name": "a.jpg"}, {"id": 8, "file_name": "b.jpg"}], "annotations":
          [{"image_id": 7, "id": 1, "caption": "a \"cat\"\n"}, {"image_id": 8, "id": 2, "caption": "b"}]})",
      R"({"images": [{"id": 7, "file_name": "a.jpg", "width": 9, "height": 9}], "annotations":
          [{"image_id": 7, "id": 1, "caption": "a", "bbox": [1, 2.5, 3, 4]}, {"image_id": 7, "id": 2, "caption": "", "bbox": [1, 2, 1, 4]}]})",
      R"({"9": {"z\nsecond": [[0.1,0,0.3,4],[1,1,3,3]], "a": []}})",
      R"({"42": {"captions": ["one", "two"], "traces": [[{"x": 0.5, "y": -1, "t": 0.25}], [{"x": 0.5, "y": 1}]]}})",
  };
  for (const std::string& content : files) {
    CAPTURE(content);
    const DatasetFolder source(content);
    nlohmann::ordered_json expected = nlohmann::ordered_json::array();
    for (const DatasetImage& image : source.images()) {
      for (const DatasetRegion& region : image.regions) {
        expected.push_back(
            {image.id, region.references, region.corners, region.times, kind_name(region.shape)});
      }
    }
    CHECK(read_back(source, write_task_file) == expected);
    const auto as_records = read_back(source, write_records);
    REQUIRE(as_records.size() == expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      CHECK(as_records[i][0] == expected[i][0]);
      CHECK(as_records[i][4] == expected[i][4]);
    }
  }
}

TEST_CASE("records point at the images that were found, from their own folder") {
  DatasetFolder coco(
      R"({"images": [{"id": 7, "file_name": "a.jpg"}], "annotations": [{"image_id": 7, "id": 1, "caption": "c"}]})");
  coco.folder.write("pictures/a.jpg", "");
  coco.options.image_folders = {coco.folder / "pictures"};
  std::filesystem::create_directories(coco.folder / "out");
  write_records(coco.open(), coco.folder / "out/records.jsonl");
  CHECK(read_file(coco.folder / "out/records.jsonl") ==
        "{\"image\":\"../pictures/a.jpg\",\"id\":7,\"references\":[\"c\"]}\n");
}

TEST_CASE("a task that has no file is refused, and nothing is written") {
  DatasetFolder records(
      "{\"image\": \"b.jpg\", \"regions\": [{\"patch\": [1,1], \"references\": [\"x\"]}]}\n");
  mentions(refusal_of(ErrorKind::data, [&] { write_task_file(records.open(), records.folder / "out.json"); }),
           "no task of the paper (patch)");
  DatasetFolder twins(
      "{\"image\": \"b.jpg\", \"regions\": [{\"boxes\": [[1,1,2,2]], \"references\": [\"x\"]}, "
      "{\"boxes\": [], \"references\": [\"x\"]}]}\n");
  mentions(refusal_of(ErrorKind::data, [&] { write_task_file(twins.open(), twins.folder / "out.json"); }),
           "two region sets have the references \"x\"");
  CHECK_FALSE(std::filesystem::exists(twins.folder / "out.json"));
}

TEST_CASE("statistics count what is there") {
  const DatasetFolder sets(
      R"({"9": {"a cat\nthe Cat": [[0,0,2,4],[1,1,3,3]], "a": []}, "10": {"b": [[0,0,1,1]]}})");
  const DatasetStats stats = stats_of(sets.open());
  CHECK(stats.images == 2);
  CHECK(stats.regions == 3);
  CHECK(stats.boxes_a_set.count == 3);
  CHECK(stats.boxes_a_set.mean() == 1);
  CHECK(stats.boxes_a_set.most == 2);
  CHECK(stats.words_a_reference.count == 4);
  CHECK(stats.words_a_reference.mean() == 1.5);
  CHECK(stats.distinct_words == 4);  // a, cat, the, b
  CHECK(stats.regions_an_image.most == 2);
}

TEST_CASE("images that cannot be read or have another size are told") {
  DatasetFolder coco(
      R"({"images": [{"id": 1, "file_name": "1.jpg", "width": 1, "height": 2}, {"id": 2, "file_name": "bad.png"}],
    "annotations": [{"image_id": 1, "id": 1, "caption": "c"}, {"image_id": 2, "id": 2, "caption": "c"}]})");
  coco.folder.write("i/bad.png", "no image");
  std::filesystem::copy_file(std::filesystem::path(PATCHIONER_SOURCE_DIR) / "models/emoji/test/1.jpg",
                             coco.folder / "i/1.jpg");
  coco.options.image_folders = {coco.folder / "i"};
  DatasetProblems problems;
  CHECK(check_images(coco.open(), problems));
  CHECK(problems.count(ProblemKind::unreadable_image) == 1);
  CHECK(problems.count(ProblemKind::image_size) == 1);
  mentions(problems.examples()[0].what, "the annotations say 1x2");
}
