#include <doctest/doctest.h>

#include <patchioner/error.hpp>

#include "data/predictions.hpp"
#include "data/task_inputs.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

std::filesystem::path file_of(const std::string& content) {
  static const TestFolder folder;
  return folder.write("task.json", content);
}

}  // namespace

TEST_CASE("dense boxes come as corners and keep their order within an image") {
  const auto images = read_dense_task(file_of(R"({
    "images": [{"id": 7, "file_name": "a.jpg"}, {"id": "x", "file_name": "b.jpg"}],
    "annotations": [{"id": 1, "image_id": "x", "bbox": [1, 2, 11, 22], "caption": "one"},
                    {"id": 2, "image_id": 7, "bbox": [5, 5, 5, 9]},
                    {"id": 3, "image_id": "x", "bbox": [0.5, 0, 2, 1], "caption": "two"}]})"));
  REQUIRE(images.size() == 2);
  REQUIRE(images[1].boxes.size() == 2);
  CHECK(images[1].boxes[0].box.width == 10);
  CHECK(images[1].boxes[0].box.height == 20);
  CHECK(images[1].boxes[1].caption == "two");
  CHECK(images[1].boxes[1].corners.dump() == "[0.5,0,2,1]");
  // A side of zero length is one pixel long in this task.
  CHECK(images[0].boxes[0].box.width == 1);
  CHECK(images[0].boxes[0].box.height == 4);
}

TEST_CASE("region sets keep the order of the file and may be empty") {
  const auto samples = read_region_set_task(
      file_of(R"({"9": {"z\nsecond": [[0,0,2,4],[1,1,3,3]], "a": []}, "10": {"b": [[0,0,1,1]]}})"));
  REQUIRE(samples.size() == 3);
  CHECK(samples[0].references == "z\nsecond");
  CHECK(samples[0].boxes.boxes.size() == 2);
  CHECK(samples[0].boxes.boxes[0].height == 4);
  CHECK(samples[1].references == "a");
  CHECK(samples[1].boxes.boxes.empty());
  CHECK(samples[2].image_id == "10");
}

TEST_CASE("traces come with their captions and may leave the image") {
  const auto samples = read_trace_task(
      file_of(R"({"42": {"captions": ["one", "two"], "traces": [[{"x": 0.5, "y": -1, "t": 0}], []]}})"));
  REQUIRE(samples.size() == 2);
  CHECK(samples[0].trace.points[0].y == -1);
  CHECK(samples[1].caption == "two");
  CHECK(samples[1].trace.points.empty());
}

TEST_CASE("a damaged task file says where it is wrong") {
  CHECK_THROWS_WITH_AS(read_dense_task(file_of("{")), doctest::Contains("is not JSON"), Error);
  CHECK_THROWS_WITH_AS(read_dense_task(file_of("[]")), doctest::Contains("has no \"images\""), Error);
  CHECK_THROWS_WITH_AS(
      read_dense_task(
          file_of(R"({"images": [{"id":1,"file_name":"a"},{"id":1,"file_name":"b"}], "annotations": []})")),
      doctest::Contains("twice"), Error);
  CHECK_THROWS_WITH_AS(read_dense_task(file_of(R"({"images": [], "annotations": [{"image_id": 3}]})")),
                       doctest::Contains("no image with the id 3"), Error);
  CHECK_THROWS_WITH_AS(
      read_dense_task(file_of(
          R"({"images": [{"id":1,"file_name":"a"}], "annotations": [{"image_id": 1, "bbox": [1,2,3]}]})")),
      doctest::Contains("annotation 1"), Error);
  CHECK_THROWS_WITH_AS(read_region_set_task(file_of(R"({"9": {"a": [[0,0,1,"x"]]}})")),
                       doctest::Contains("\"x\" is not a number"), Error);
  CHECK_THROWS_WITH_AS(read_trace_task(file_of(R"({"9": {"captions": ["a"], "traces": []}})")),
                       doctest::Contains("1 captions and 0 traces"), Error);
  CHECK_THROWS_AS(read_trace_task("/no/such/file.json"), Error);
}

TEST_CASE("predictions of boxes and of images are COCO results") {
  const std::vector<TaskImage> images = {{7, "a.jpg"}};
  CHECK(coco_predictions(images, {{7, "a dog", 0.5, nullptr}}).dump() ==
        R"({"images":[{"id":7,"file_name":"a.jpg"}],)"
        R"("annotations":[{"id":1,"image_id":7,"category_id":1,"caption":"a dog","score":0.5}],)"
        R"("categories":[{"id":1,"name":"image_caption"}]})");
  CHECK(
      coco_predictions(images, {{7, "a dog", 0.5, {1, 2, 3, 4}}}).dump() ==
      R"({"images":[{"id":7,"file_name":"a.jpg"}],)"
      R"("annotations":[{"id":1,"image_id":7,"category_id":1,"bbox":[1,2,3,4],"caption":"a dog","score":0.5,)"
      R"("projection_sims":null}],"categories":[{"id":1,"name":"dense_caption"}]})");
}

TEST_CASE("predictions of samples are parallel lists") {
  const std::vector<SamplePrediction> predictions = {{"a dog", "x\ny", "a.jpg", {{1, 2, 3, 4}}}};
  CHECK(
      region_set_predictions(predictions).dump() ==
      R"({"predictions":["a dog"],"gt_captions":["x\ny"],"img_paths":["a.jpg"],"bboxes":[[[1.0,2.0,3.0,4.0]]]})");
  CHECK(trace_predictions(predictions).dump() ==
        R"({"predictions":["a dog"],"gt_captions":["x\ny"],"img_paths":["a.jpg"]})");
}
